"""Plain scalars, read so that no value silently becomes another one.

YAML 1.1 and 1.2 read some scalars differently: `010` is 8 or 10, `22:00` is 1320 or text. What they do not agree on stays text here, as do
dates and times, which the schemas judge. `on`, `off`, `yes` and `no` are refused where they are values: a flag that cuts over must not
depend on who reads it.
"""

from __future__ import annotations

import math
import re

INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})")
FLOAT = re.compile(r"[-+]?[0-9]+\.[0-9]*([eE][-+][0-9]+)?")
BOOLEANS = {"yes": True, "no": False, "true": True, "false": False, "on": True, "off": False}


def is_boolean_to_some(text: str, tag: str) -> bool:
    """Whether an unquoted scalar is a boolean to YAML 1.1, which `tag` is of, and a text to YAML 1.2."""
    return tag.endswith(":bool") and text.lower() not in ("true", "false")


def plain_scalar(text: str, tag: str) -> str | int | float | bool | None:
    """The value of an unquoted scalar whose YAML 1.1 tag is `tag`."""
    match tag.rpartition(":")[2]:
        case "null":
            return None
        case "bool":
            return BOOLEANS[text.lower()]
        case "int" if INTEGER.fullmatch(text):
            return int(text)
        case "float" if FLOAT.fullmatch(text) and math.isfinite(float(text)):
            return float(text)
    return text
