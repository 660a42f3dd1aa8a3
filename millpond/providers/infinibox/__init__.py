"""InfiniBoxes through infinisdk's sessions, and raw requests where they save round trips."""

from millpond.providers.infinibox.array import InfiniBoxArray

__all__ = ["InfiniBoxArray"]
