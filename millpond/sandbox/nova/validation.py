"""Request bodies against the schemas, with Nova's message for what does not fit."""

import base64
import binascii
from collections.abc import Callable
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import best_match

from millpond.sandbox.core.errors import ApiError

Schema = dict[str, Any]
FORMATS = FormatChecker(("uuid", "ipv4", "ipv6"))


@FORMATS.checks("base64")
def is_base64(value: object) -> bool:
    try:
        base64.b64decode(str(value).replace("\n", ""), validate=True)
    except binascii.Error:
        return False
    return True


@FORMATS.checks("name")
def is_name(value: object) -> bool:
    return not isinstance(value, str) or (value == value.strip() and value.isprintable())


@cache
def validator(schema: Callable[[int], Schema], minor: int) -> Draft202012Validator:
    return Draft202012Validator(schema(minor), format_checker=FORMATS)


def check(schema: Callable[[int], Schema], minor: int, document: Any) -> None:
    """ApiError 400 unless `document` fits `schema` at microversion 2.`minor`."""
    error = best_match(validator(schema, minor).iter_errors(document))
    if error is None:
        return
    if not error.path:
        raise ApiError(400, error.message)
    raise ApiError(400, f"Invalid input for field/attribute {error.path[-1]}. Value: {error.instance}. {error.message}")
