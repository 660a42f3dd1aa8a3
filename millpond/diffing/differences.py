"""What differs between two objects, field by field, with paths that people read."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence, Set
from datetime import datetime
from enum import Enum
from typing import Any, cast

from millpond.model.change import FieldChange
from millpond.model.secret import Secret

Path = tuple[str, ...]


def differences(before: Mapping[str, Any], after: Mapping[str, Any], ignore: Collection[str] = ()) -> tuple[FieldChange, ...]:
    """The fields in which `after` differs from `before`, sorted by path.

    Mappings are walked into (`metadata.role`), lists are compared and shown whole (`fixed_ips`), in order. A field that is missing and one
    that is None are the same. Values come back as plain JSON values; secrets as `(sensitive value)`. `ignore` names paths, with all below.
    """
    if before == after:
        return ()
    old, new = dict(_leaves((), before)), dict(_leaves((), after))
    names = {path: _text(path) for path in _changed(old, new)}
    found = (FieldChange(name, _shown(old.get(path)), _shown(new.get(path))) for path, name in names.items() if not _ignored(name, ignore))
    return tuple(sorted(found, key=lambda field: field.path))


def plain(value: Any) -> Any:
    """A JSON value equal to `value`: tuples become lists, sets sorted lists, times ISO 8601; anything else that is not JSON, its string."""
    if isinstance(value, Enum):
        return plain(value.value)
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, Set):
        return sorted(plain(item) for item in value)
    if isinstance(value, Sequence):
        return [plain(item) for item in value]
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _leaves(path: Path, value: Any) -> Iterator[tuple[Path, Any]]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _leaves((*path, str(key)), item)
    elif value is not None:
        yield path, value if isinstance(value, Secret) else plain(value)


def _changed(old: Mapping[Path, Any], new: Mapping[Path, Any]) -> Iterable[Path]:
    """The paths whose leaves differ. A number is the same whether it came as an integer or not."""
    if not old or not new:
        return old or new
    from deepdiff import DeepDiff  # noqa: PLC0415 - slow to load, and a plan without updates does not need it

    return cast("Iterable[Path]", DeepDiff(old, new, ignore_numeric_type_changes=True).affected_root_keys)


def _shown(value: Any) -> Any:
    return str(value) if isinstance(value, Secret) else value


def _text(path: Path) -> str:
    return ".".join(f'"{part}"' if "." in part or not part else part for part in path)


def _ignored(path: str, ignore: Collection[str]) -> bool:
    return any(path == one or path.startswith(f"{one}.") for one in ignore)
