"""What a person has to do: sentences, and below them the commands to copy.

Where there are commands, the text has each on a line of its own that begins with four blanks. Views show such a line whole, by itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

_INDENT = "    "


def to_do(sentence: str, *commands: str) -> str:
    """`sentence` without a colon, and below it what to run. No name in either can begin a line."""
    lines = [_on_one_line(text) for text in (sentence, *commands)]
    return "\n".join((f"{lines[0]}:", *(f"{_INDENT}{line}" for line in lines[1:]))) if commands else lines[0]


def told_apart(text: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Each of its sentences with the commands below it; the sentence is empty where it begins with a command."""
    sentence = ""
    for is_command, lines in groupby(text.splitlines(), key=lambda line: line.startswith(_INDENT)):
        if is_command:
            yield sentence, tuple(line.strip() for line in lines)
            sentence = ""
        else:
            sentence = "\n".join(lines)
    if sentence:
        yield sentence, ()


def _on_one_line(text: str) -> str:
    return " ".join(text.splitlines())
