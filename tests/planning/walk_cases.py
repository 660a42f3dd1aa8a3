"""All situations of the walk, by the names of their goldens."""

from tests.planning import walk_back, walk_cut, walk_end
from tests.planning.situations import CASES

__all__ = ["CASES", "walk_back", "walk_cut", "walk_end"]
