"""Views of finished plans, outcomes and states; no look-ups."""
