"""Values that refuse to be printed or serialised."""

from __future__ import annotations

import hmac


class Secret:
    """A value that can be sent and compared, but not shown.

    `str`, `repr`, `format`, pickling and JSON encoders get no value; `reveal()` is called in providers alone, at the moment of sending.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return "(sensitive value)"

    __str__ = __repr__

    def __format__(self, _spec: str) -> str:
        return repr(self)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self._value.encode(), other._value.encode())

    def __hash__(self) -> int:
        return hash((Secret, self._value))

    def __reduce__(self) -> str:
        raise TypeError("a secret cannot be serialised")
