"""What services answer: what is missing in an answer is a failure of the call that asked for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Never

from millpond.errors import RemoteFailure
from millpond.providers.failures import misshapen

NESTED = (dict, list)
"""Of a large answer nearly all is neither: what is not is not looked into."""


@dataclass(frozen=True)
class Call:
    """`place`: where who has to mend it finds the service, such as its URL."""

    where: str
    place: str
    mutating: bool = False

    def wrong(self, why: str) -> RemoteFailure:
        return misshapen(why, self.where, self.place, mutating=self.mutating)

    def read(self, answer: Any) -> Answer:
        """A whole answer, which must be a JSON object."""
        if isinstance(answer, Mapping):
            return Answer(answer, self)
        raise self.wrong("the answer is no JSON object")


class Answer(dict[str, Any]):
    """A JSON object in an answer, and those in it. Asking for a key that it lacks raises what the call's failure is."""

    def __init__(self, values: Mapping[str, Any], call: Call) -> None:
        super().__init__({key: _inside(value, call) if isinstance(value, NESTED) else value for key, value in values.items()})
        self._call = call

    def __missing__(self, key: str) -> Never:
        raise self._call.wrong(f"the answer has no `{key}` where one belongs")

    def wrong(self, why: str) -> RemoteFailure:
        """The failure of the call that this is the answer of."""
        return self._call.wrong(why)

    def whole(self, key: str) -> int:
        """What stands under `key`, which must be a whole number."""
        found = self[key]
        if isinstance(found, int) and not isinstance(found, bool):
            return found
        raise self._call.wrong(f"`{key}` in the answer is no whole number")

    def rows(self, key: str) -> list[Answer]:
        """What stands under `key`, which must be a list of objects."""
        found = self[key]
        if isinstance(found, list) and all(isinstance(row, Answer) for row in found):
            return found
        raise self._call.wrong(f"`{key}` in the answer is no list of objects")

    def one(self, key: str) -> Answer:
        """What stands under `key`, which must be an object."""
        found = self[key]
        if isinstance(found, Answer):
            return found
        raise self._call.wrong(f"`{key}` in the answer is no object")


def _inside(value: dict[str, Any] | list[Any], call: Call) -> Any:
    if isinstance(value, dict):
        return Answer(value, call)
    return [_inside(each, call) if isinstance(each, NESTED) else each for each in value]
