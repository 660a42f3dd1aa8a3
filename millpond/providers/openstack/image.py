"""The port `Images` on Glance v2."""

from __future__ import annotations

from millpond.model.image import Image
from millpond.providers.openstack.service import Row, Service
from millpond.providers.shapes import documented


class GlanceImages:
    def __init__(self, service: Service) -> None:
        self._glance = service

    def images(self, project_id: str) -> tuple[Image, ...]:
        """An image is listed if it is not hidden, or hidden ones are asked for, but never both (glance/api/v2/images.py, index). A Glance
        older than 2.7 knows no hidden ones, and takes the word for a property that no image has. Another project's community images are
        left out, for an administrator too, unless that visibility is asked for (glance/db/sqlalchemy/api.py, image_get_all)."""
        every = {
            row["id"]: row
            for hidden in ({}, {"os_hidden": "true"})
            for community in ({}, {"visibility": "community"})
            for row in self._glance.rows("/images", "images", {"owner": project_id, **hidden, **community})
        }
        return tuple(parse_image(row) for row in every.values())


@documented
def parse_image(row: Row) -> Image:
    return Image(id=row["id"], name=row.get("name") or "", visibility=row.get("visibility") or "")
