"""Project tags: https://docs.openstack.org/api-ref/identity/v3/#project-tags."""

from typing import Any

from millpond.sandbox.core.errors import ApiError

TAGS_MAX = 80


def check_tags(tags: Any) -> None:
    """ApiError 400 unless `tags` is a list that Keystone accepts."""
    if not isinstance(tags, list) or len(tags) > TAGS_MAX:
        raise ApiError(400, f"Invalid input for field 'tags': not a list of at most {TAGS_MAX} tags.")
    for tag in tags:
        if not isinstance(tag, str) or not 0 < len(tag) <= 255 or "/" in tag or "," in tag:
            raise ApiError(400, f"Invalid input for field 'tags': {tag!r} does not match '^[^,/]*$'")
    if len(set(tags)) != len(tags):
        raise ApiError(400, f"Invalid input for field 'tags': {tags} has non-unique elements")
