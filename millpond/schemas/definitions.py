"""The JSON Schemas, as text for editors and as validators."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker

API_VERSION = "millpond.dev/v1"
KINDS = ("site", "tenant", "inventory", "plan", "result", "drift")

FORMATS = FormatChecker(formats=())


def aware_time(text: str) -> datetime:
    """The moment that `text` names; ValueError where it is no time or has no offset."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("no offset")
    return moment


@FORMATS.checks("date-time", raises=ValueError)
def _is_time(value: object) -> bool:
    return not isinstance(value, str) or bool(aware_time(value))


def schema_text(kind: str) -> str:
    """The JSON Schema of `site`, `tenant`, `inventory`, `plan`, `result` or `drift` (2020-12). KeyError for any other kind."""
    if kind not in KINDS:
        raise KeyError(kind)
    return (files("millpond.schemas") / f"{kind}.schema.json").read_text(encoding="utf-8")


@cache
def schema(kind: str) -> Mapping[str, Any]:
    parsed: dict[str, Any] = json.loads(schema_text(kind))
    return parsed


@cache
def validator(kind: str) -> Draft202012Validator:
    return Draft202012Validator(schema(kind), format_checker=FORMATS)


def modeline(kind: str) -> str:
    """Tells editors with a YAML language server where the schema lies, seen from a file in tenants/."""
    return f"# yaml-language-server: $schema=../schemas/{kind}.schema.json"
