"""Differences between two values; the only room that imports deepdiff."""
