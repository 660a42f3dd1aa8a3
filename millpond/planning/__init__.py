"""From desired and snapshot to a plan: pure."""
