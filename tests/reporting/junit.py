"""What CI systems take for JUnit: the elements and attributes of junit-10.xsd, by which Jenkins' xunit plugin checks a report.

https://github.com/jenkinsci/xunit-plugin/blob/master/src/main/resources/org/jenkinsci/plugins/xunit/types/model/xsd/junit-10.xsd;
here are those of them that a report of drift may use.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree.ElementTree import Element


@dataclass(frozen=True)
class Kind:
    required: frozenset[str] = frozenset()
    optional: frozenset[str] = frozenset()
    children: frozenset[str] = frozenset()
    text: bool = False


COUNTS = frozenset({"tests", "failures", "errors"})
KINDS = {
    "testsuites": Kind(optional=COUNTS | {"name", "time"}, children=frozenset({"testsuite"})),
    "testsuite": Kind(
        COUNTS | {"name"},
        frozenset({"time", "skipped", "timestamp", "hostname", "id", "package"}),
        frozenset({"testsuite", "testcase", "properties", "system-out", "system-err"}),
    ),
    "testcase": Kind(
        frozenset({"name"}),
        frozenset({"time", "classname", "group"}),
        frozenset({"skipped", "error", "failure", "system-out", "system-err"}),
    ),
    "failure": Kind(optional=frozenset({"type", "message"}), text=True),
    "error": Kind(optional=frozenset({"type", "message"}), text=True),
    "system-out": Kind(text=True),
}
SECONDS = re.compile(r"\d{0,3}(,?\d{3})*(\.\d{0,3})?")


def wrongs(element: Element) -> Iterator[str]:
    """What the schema would say of it and of all that is in it."""
    kind = KINDS.get(element.tag)
    if kind is None:
        yield f"{element.tag} is not known"
        return
    given = frozenset(element.attrib)
    yield from (f"{element.tag} lacks {name}" for name in sorted(kind.required - given))
    yield from (f"{element.tag} has {name}" for name in sorted(given - kind.required - kind.optional))
    if element.tag.startswith("testsuite") and not SECONDS.fullmatch(element.get("time", "")):
        yield f"{element.tag} took {element.get('time')}"
    if (element.text or "").strip() and not kind.text:
        yield f"{element.tag} has text"
    for child in element:
        if child.tag not in kind.children:
            yield f"{child.tag} in {element.tag}"
        yield from wrongs(child)
