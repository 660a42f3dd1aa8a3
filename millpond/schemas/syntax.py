"""YAML's syntax errors in plain words."""

from __future__ import annotations

import yaml

from millpond.errors import Problem

TAB = ("a tab is used for indentation", "YAML indents with spaces alone", "replace the tab by spaces")
COLON = ("a colon is not possible here", "", "put a value that contains `: ` between quotes; check the indentation")
OPEN = ("a bracket is not closed", "", "check that every [ and { has its ] and }, with commas between the items")
QUOTE = ("a quote is not closed", "", "add the missing quote at the end of the value")
START = ("a value cannot begin with this character", "", "put the value between quotes")
INDENT = ("the indentation does not fit what stands above", "", "bring the line under its siblings; write a space after `-` and `:`")
ESCAPE = ("an escape between double quotes is not valid", "", "use single quotes, or write each backslash twice")

FROM_HERE = {OPEN[0], QUOTE[0], INDENT[0]}

# Parts of libyaml's and PyYAML's own messages, the first that is found.
KNOWN = (
    ("mapping values are not allowed", COLON),
    ("flow sequence", OPEN),
    ("flow mapping", OPEN),
    ("flow node", OPEN),
    ("quoted scalar: found unexpected end of stream", QUOTE),
    ("quoted scalar: found unexpected document indicator", QUOTE),
    ("cannot start any token", START),
    ("expected key", INDENT),
    ("expected '-' indicator", INDENT),
    ("expected <block end>", INDENT),
    ("could not find expected ':'", ("a key without a colon", "", "write `key: value`; put long texts between quotes")),
    ("block node", INDENT),
    ("escape character", ESCAPE),
    ("escape code", ESCAPE),
)


def syntax_problem(error: yaml.YAMLError, file: str, text: str) -> Problem:
    """What PyYAML found in `text`, where it found it."""
    if not isinstance(error, yaml.MarkedYAMLError):
        return Problem(file, "the file is not valid YAML", str(error).splitlines()[0])
    mark = error.problem_mark or error.context_mark
    where = f"{file}:{mark.line + 1}:{mark.column + 1}" if mark else file
    if mark and (column := _tab(text, mark.line, mark.column)) is not None:
        return Problem(f"{file}:{mark.line + 1}:{column + 1}", *TAB)
    said = ": ".join(part for part in (error.context, error.problem) if part)
    what, why, fix = next((words for part, words in KNOWN if part in said), ("the file is not valid YAML", said, ""))
    if what in FROM_HERE and error.context_mark and mark and error.context_mark.line != mark.line:
        begun = f"it began on line {error.context_mark.line + 1}"
        why = f"{why}; {begun}" if why else begun
    return Problem(where, what, why, fix)


def _tab(text: str, line: int, column: int) -> int | None:
    """The column of the tab that the line is indented with, or that stands where YAML stopped."""
    lines = text.splitlines()
    found = lines[line] if line < len(lines) else ""
    indentation = found[: len(found) - len(found.lstrip())]
    if "\t" in indentation:
        return indentation.index("\t")
    return column if found[column : column + 1] == "\t" else None
