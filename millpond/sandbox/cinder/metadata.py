"""Metadata of volumes: the owner's, the image's, and what administrators' actions show among the owner's."""

from collections.abc import Mapping
from typing import Literal

from millpond.sandbox.cinder.refusals import invalid_volume
from millpond.sandbox.cinder.volumes import Volumes
from millpond.sandbox.core.errors import ApiError
from millpond.sandbox.core.store import Row

Kind = Literal["metadata", "image_metadata"]
CLOSED = ("maintenance", "uploading")
VISIBLE = ("readonly", "attached_mode")
"""Administrative keys that every reader of `metadata` sees (cinder/api/common.py, visible_admin_metadata)."""
LONGEST = 255


def visible(row: Row) -> dict[str, str]:
    shown = {key: value for key, value in row["admin_metadata"].items() if key in VISIBLE}
    return {**row["metadata"], **shown}


def checked(values: object) -> dict[str, str]:
    """ApiError 400 unless all keys and values are strings of a length Cinder takes."""
    if not isinstance(values, dict):
        raise ApiError(400, f"Invalid input for field/attribute metadata. Value: {values}. It is not an object.")
    for key, value in values.items():
        if not isinstance(value, str) or not 1 <= len(key) <= LONGEST or len(value) > LONGEST:
            raise ApiError(
                400, f"Invalid input for field/attribute metadata. Value: {value!r} of key {key!r} is not a string of at most 255."
            )
    return dict(values)


class Metadata:
    def __init__(self, volumes: Volumes) -> None:
        self.volumes = volumes

    def put(self, row: Row, values: Mapping[str, str], kind: Kind = "metadata", replace: bool = False) -> dict[str, str]:
        """ApiError 400 while the volume is in maintenance or uploading."""
        self._require_open(row)
        merged = dict(values) if replace else {**row[kind], **values}
        self.volumes.change(row["id"], **{kind: merged})
        return merged

    def delete(self, row: Row, key: str, kind: Kind = "metadata") -> None:
        self._require_open(row)
        if key not in row[kind]:
            raise ApiError(404, f"Volume {row['id']} has no metadata with key {key}.")
        self.volumes.change(row["id"], **{kind: {name: value for name, value in row[kind].items() if name != key}})

    def set_readonly(self, row: Row, readonly: bool) -> None:
        if row["status"] != "available":
            raise invalid_volume(
                f"Volume {row['id']} status must be available to update readonly flag, but current status is: {row['status']}."
            )
        self.volumes.change(row["id"], admin_metadata={**row["admin_metadata"], "readonly": str(readonly)})

    def _require_open(self, row: Row) -> None:
        if row["status"] in CLOSED:
            raise invalid_volume(f"Updating volume metadata is not allowed for volumes in {row['status']} status.")
