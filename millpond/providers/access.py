"""What a login may do: the verbs that only read get one that cannot write."""

from __future__ import annotations

from enum import Enum


class Access(Enum):
    READ = "read"
    WRITE = "write"
