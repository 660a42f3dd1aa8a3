"""What Cinder takes from Glance when a volume is made from an image."""

from millpond.sandbox.core.errors import ApiError
from millpond.sandbox.core.store import Row
from millpond.sandbox.core.world import Cloud

PLAIN = ("container_format", "disk_format", "min_disk", "min_ram", "size", "checksum")
NOT_PROPERTIES = frozenset(
    [
        *("id", "name", "status", "visibility", "protected", "tags", "owner", "owner_id", "created_at", "updated_at"),
        *("file", "schema", "self", "direct_url", "locations", "os_hidden", "os_hash_algo", "os_hash_value", "virtual_size"),
        *("stores", "members", "properties"),
    ]
)


def require_image(cloud: Cloud, id: str) -> Row:
    """ApiError 404 for an unknown image, 400 for one that is not active."""
    row = cloud.table("glance/images").get(id)
    if row is None:
        raise ApiError(404, f"Image {id} could not be found.")
    if row.get("status", "active") != "active":
        raise ApiError(400, f"Invalid input received: Image {id} is not active.")
    return row


def image_metadata(image: Row) -> dict[str, str]:
    """`volume_image_metadata`: the image's identity, its plain fields and its own properties, all as strings."""
    properties = {key: value for key, value in image.items() if key not in NOT_PROPERTIES and key not in PLAIN}
    properties.update(image.get("properties") or {})
    plain = {key: image[key] for key in PLAIN if image.get(key) is not None}
    named = {"image_id": image["id"], "image_name": image["name"]}
    return {key: str(value) for key, value in {**named, **plain, **properties}.items() if not isinstance(value, list | dict)}
