"""Files as text, or the problem that keeps them from being it."""

from __future__ import annotations

import re
from pathlib import Path

from millpond.errors import Problem

# What YAML 1.1 does not allow in a stream, apart from the byte order mark.
CONTROL = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def read_text(path: Path) -> str | Problem:
    """The file as text, without a byte order mark. The problem says why it cannot be read, and where in it."""
    try:
        data = path.read_bytes()
    except OSError as error:
        return Problem(str(path), "the file cannot be read", why=error.strerror or str(error))
    except ValueError as error:
        return Problem(str(path), "the file cannot be read", why=str(error))
    return decode(data, str(path))


def decode(data: bytes, file: str) -> str | Problem:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = error.object[: error.start].decode(errors="replace")
        why = f"byte 0x{error.object[error.start]:02x} is not valid there"
        return Problem(place(file, before), "the file is not UTF-8", why, "save it as UTF-8")
    if match := CONTROL.search(text):
        what = f"the character U+{ord(match.group()):04X} is not allowed in YAML"
        fix = 'delete it, or write it as an escape between double quotes, as in "\\x07"'
        return Problem(place(file, text[: match.start()]), what, fix=fix)
    return text


def place(file: str, before: str) -> str:
    """`file:line:column` of what follows the text `before`."""
    line = before.count("\n") + 1
    return f"{file}:{line}:{len(before) - before.rfind(chr(10))}"
