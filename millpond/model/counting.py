"""Counts as people write them."""

from __future__ import annotations


def counted(count: int, noun: str) -> str:
    """`1 server`, `3 servers`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def told_of(count: int, noun: str, one: str, several: str) -> str:
    """With its verb: `1 server is`, `3 servers are`."""
    return f"{counted(count, noun)} {one if count == 1 else several}"
