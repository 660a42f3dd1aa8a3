"""Glance's nouns."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Image:
    id: str
    name: str
    visibility: str = ""
