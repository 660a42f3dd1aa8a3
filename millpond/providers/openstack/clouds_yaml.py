"""Which clouds are configured in clouds.yaml, secure.yaml or the OS_* environment. Nothing is sent."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import yaml
from openstack import exceptions as sdk
from openstack.config import OpenStackConfig
from openstack.config.loader import CONFIG_FILES, SECURE_FILES, VENDOR_FILES

from millpond import __version__
from millpond.errors import MillpondError

VARIABLES = ("OS_CLIENT_CONFIG_FILE", "OS_CLIENT_SECURE_FILE")
FIX = "Mend this file, or set OS_CLIENT_CONFIG_FILE to the one that is meant."


class UnreadableClouds(MillpondError):
    """openstacksdk passes over such a file, and would take a cloud of that name from another one."""

    summary = "The file of the clouds cannot be read"


def cloud_names() -> tuple[str, ...]:
    """All, in order; the environment's own is called `envvars`. UnreadableClouds where a file is no YAML or not of its shape."""
    return tuple(sorted({*cloud_config().get_cloud_names()} - {"defaults"}))  # openstacksdk's name for nothing


def cloud_config() -> OpenStackConfig:
    """What files and environment say, read again when one of them has changed: a command asks for it a dozen times."""
    files = {*CONFIG_FILES, *SECURE_FILES, *VENDOR_FILES, *(os.environ.get(variable, "") for variable in VARIABLES)}
    return _read(frozenset((path, _age(path)) for path in files), frozenset(os.environ.items()))


def _age(path: str) -> tuple[int, int]:
    try:
        found = Path(path).stat()
    except OSError:
        return (0, 0)
    return (found.st_mtime_ns, found.st_size)


@lru_cache(maxsize=1)
def _read(files: frozenset[object], environment: frozenset[object]) -> OpenStackConfig:
    """`files` and `environment` are what it depends on."""
    _readable("OS_CLIENT_CONFIG_FILE", CONFIG_FILES)
    _readable("OS_CLIENT_SECURE_FILE", SECURE_FILES)
    try:
        config = OpenStackConfig(app_name="millpond", app_version=__version__)
        config.get_cloud_names()
    except (sdk.SDKException, OSError, AttributeError, TypeError) as error:
        why = "it is not a mapping of `clouds:`" if isinstance(error, AttributeError | TypeError) else str(error)
        raise UnreadableClouds(why, where=_first("OS_CLIENT_CONFIG_FILE", CONFIG_FILES) or "clouds.yaml", fix=FIX) from None
    return config


def _first(variable: str, files: Sequence[str]) -> str:
    named = os.environ.get(variable, "")
    return next((path for path in (named, *files) if path and Path(path).exists()), "")


def _readable(variable: str, files: Sequence[str]) -> None:
    path = _first(variable, files)
    if not path:
        return
    try:
        text = Path(path).read_text(encoding="utf-8")
        json.loads(text) if path.endswith("json") else yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else path
        raise UnreadableClouds(f"it is not valid YAML: {error.problem or error.context}", where=where, fix=FIX) from None
    except (OSError, ValueError, yaml.YAMLError) as error:
        why = error.strerror or type(error).__name__ if isinstance(error, OSError) else "it is not valid UTF-8, YAML or JSON"
        raise UnreadableClouds(why, where=path, fix=FIX) from None
