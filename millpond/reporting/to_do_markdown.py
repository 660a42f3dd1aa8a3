"""What to do, as Markdown: sentences, and commands in blocks of their own, to be copied."""

from __future__ import annotations

from millpond.model.to_do import told_apart
from millpond.reporting.amounts import moments
from millpond.reporting.markdown import fence, prose


def to_do(text: str, indent: str = "") -> list[str]:
    """The lines; one empty one where there is nothing to do. `indent` keeps what follows the first in an item of a list."""
    lines: list[str] = []
    for sentence, commands in told_apart(text):
        lines += [f"{indent if lines else 'To do: '}{prose(moments(sentence))}"] if sentence else []
        lines += ["", *fence(commands, "sh", indent), ""] if commands else []
    return (lines[:-1] if lines[-1:] == [""] else lines) or [""]
