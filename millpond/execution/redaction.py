"""Keeps credentials out of what others say: messages of services and drivers, before they are kept or printed.

Millpond's own secrets are a type that refuses to be shown; this is for text from elsewhere, such as an error that quotes its request.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

MASK = "(sensitive value)"
_SHORTEST = 8
_NAMES = (
    r"pass(?:word|wd)?|admin_?pass|user_?data|secret|api_?key|access_?key"
    r"|token|x-(?:auth|subject|service)-token|cookie|set-cookie|authorization"
)
_VALUES = r"""
      \\+".*?\\+"
    | "(?:\\.|[^"\\])*"
    | '(?:\\.|[^'\\])*'
    | (?:basic|bearer)\s+\S+
    | [^\s,;&}\])]+
"""
_PAIR = re.compile(rf"""( (?:{_NAMES}) \\* ["']? \s* [:=] \s* ) (?:{_VALUES})""", re.IGNORECASE | re.VERBOSE)
_URL = re.compile(r"(://[^\s/:@]+):[^\s@]+@")
_FERNET = re.compile(r"\bgAAAA[\w-]{20,}={0,2}")
_ENVIRONMENT = re.compile(r"PASS|SECRET|TOKEN|CREDENTIAL|API_?KEY", re.IGNORECASE)


def redact(text: str, known: Iterable[str] = ()) -> str:
    """`text` without the `known` secrets and what follows the usual names of credentials in URLs, headers, JSON and assignments."""
    for secret in sorted((s for s in known if len(s) >= _SHORTEST), key=len, reverse=True):
        text = text.replace(secret, MASK)
    text = _URL.sub(rf"\1:{MASK}@", text)
    return _FERNET.sub(MASK, _PAIR.sub(rf"\1{MASK}", text))


def secrets_of(environment: Mapping[str, str]) -> frozenset[str]:
    """The values of variables whose names say that they hold a credential."""
    return frozenset(value for name, value in environment.items() if value and _ENVIRONMENT.search(name))
