"""What of a Glance matters to where a migration ends up."""

from millpond.sandbox.core.store import Row
from millpond.sandbox.glance.service import GlanceService

UNSTABLE = ("created_at", "updated_at")


def digest(glance: GlanceService) -> Row:
    return {"images": [{name: value for name, value in row.items() if name not in UNSTABLE} for row in glance.images]}
