"""The data of a volume, as a chain over every write: equal content if and only if equal write history."""

import hashlib
from typing import TypedDict


class Content(TypedDict):
    writes: int
    chain: str
    last: str


EMPTY: Content = {"writes": 0, "chain": "0" * 16, "last": ""}


def written(content: Content, data: str) -> Content:
    """`content` after one more write of `data`."""
    return {"writes": content["writes"] + 1, "chain": _digest(content["chain"], data), "last": data[:80]}


def torn(content: Content) -> Content:
    """What a half-copied target holds: equal to nothing else that was written the same way."""
    return {"writes": content["writes"], "chain": _digest(content["chain"], "torn"), "last": "torn copy"}


def mixed(source: Content, target: Content) -> Content:
    """Changed blocks of `source` laid over another history: no consistent data."""
    return {"writes": source["writes"], "chain": _digest(source["chain"], target["chain"]), "last": "mixed histories"}


def version(content: Content) -> str:
    """A short printable form: number of writes, chain, and what was written last."""
    return f"{content['writes']}:{content['chain']}:{content['last']}"


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]
