"""Plain data (what JSON can say) ↔ the frozen nouns of the model."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeVar

from cattrs import Converter
from cattrs.strategies import configure_union_passthrough

from millpond.model.change import AnyStep, Change, Waiting
from millpond.model.secret import Secret
from millpond.schemas.definitions import aware_time
from millpond.schemas.durations import seconds

T = TypeVar("T")


def _secret(_value: Secret) -> Any:
    raise TypeError("a secret cannot be serialised")


def _step(value: Mapping[str, Any], _type: object) -> AnyStep:
    return PLAIN.structure(value, Change) if "side" in value else PLAIN.structure(value, Waiting)


def _number(value: Any, kind: type[int | float]) -> int | float:
    return kind(seconds(value) if isinstance(value, str) else value)


def _plain_converter(*, omit_if_default: bool = False) -> Converter:
    converter = Converter(
        detailed_validation=False, omit_if_default=omit_if_default, unstruct_collection_overrides={tuple: list, frozenset: sorted}
    )
    configure_union_passthrough(str | int | float | bool | None, converter)
    converter.register_unstructure_hook(datetime, datetime.isoformat)
    converter.register_unstructure_hook(Secret, _secret)
    converter.register_unstructure_hook(AnyStep, lambda step: converter.unstructure(step, type(step)))
    converter.register_structure_hook(datetime, lambda value, _: aware_time(value))
    converter.register_structure_hook_func(lambda kind: kind is object, lambda value, _: value)
    converter.register_structure_hook(AnyStep, _step)
    return converter


def _document_converter() -> Converter:
    """Numbers may also be written as durations: the schemas say which ones."""
    converter = _plain_converter()
    converter.register_structure_hook(int, _number)
    converter.register_structure_hook(float, _number)
    converter.register_structure_hook(bool, lambda value, _: value)  # else the hook for int takes booleans too
    return converter


PLAIN = _plain_converter()
STATED = _plain_converter(omit_if_default=True)
DOCUMENT = _document_converter()


def to_plain(value: object) -> Any:
    """`value` as dicts, lists, texts and numbers. TypeError where a secret is in it."""
    return PLAIN.unstructure(value)


def stated(value: object) -> Any:
    """As `to_plain`, without the fields that have their default: a field that a later version adds leaves it as it was."""
    return STATED.unstructure(value)


def from_plain(kind: type[T], value: object) -> T:
    """The noun `kind` from what `to_plain` made of it. ValueError, TypeError or KeyError where it is none."""
    return PLAIN.structure(value, kind)
