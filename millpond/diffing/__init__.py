"""Field differences between two objects. The only room that knows deepdiff."""

from millpond.diffing.differences import differences, plain

__all__ = ["differences", "plain"]
