"""Quotas of one Cinder: in general and per volume type. Usage is counted, never stored."""

from collections.abc import Mapping

from millpond.sandbox.cinder.refusals import over_limit
from millpond.sandbox.core.errors import ApiError
from millpond.sandbox.core.store import Row, Table
from millpond.sandbox.core.world import Cloud

DEFAULTS = {
    "volumes": 10,
    "per_volume_gigabytes": -1,
    "snapshots": 10,
    "gigabytes": 1000,
    "backups": 10,
    "backup_gigabytes": 1000,
    "groups": 10,
}
COUNTED = ("volumes", "snapshots", "gigabytes")


class Quotas:
    def __init__(self, cloud: Cloud, types: Table, volumes: Table, snapshots: Table) -> None:
        self.table = cloud.table("cinder/quotas")
        self._types, self._volumes, self._snapshots = types, volumes, snapshots

    def defaults(self) -> dict[str, int]:
        per_type = {f"{kind}_{row['name']}": -1 for row in self._types for kind in COUNTED}
        return {**DEFAULTS, **per_type}

    def limits(self, project_id: str) -> dict[str, int]:
        known = self.defaults()
        return {**known, **{key: value for key, value in self._own(project_id).items() if key in known}}

    def _own(self, project_id: str) -> dict[str, int]:
        row = self.table.get(project_id)
        return row["limits"] if row else {}

    def set(self, project_id: str, changes: Mapping[str, object]) -> dict[str, int]:
        """ApiError 400 for keys Cinder does not know (types it does not have included), values below -1 and values below what is used."""
        known = self.defaults()
        bad = sorted(set(changes) - set(known))
        if bad:
            raise ApiError(400, f"Bad key(s) in quota set: {', '.join(bad)}")
        values = {key: _limit(key, value) for key, value in changes.items()}
        self._refuse_below_use(project_id, values)
        if project_id not in self.table:
            self.table.insert({"id": project_id, "limits": {}})
        self.table.update(project_id, limits={**self._own(project_id), **values})
        return self.limits(project_id)

    def _refuse_below_use(self, project_id: str, values: Mapping[str, int]) -> None:
        """From Queens on, yet only for keys of which the project has a limit of its own (cinder/quota.py, get_project_quotas)."""
        own, used = self._own(project_id), self.usage(project_id)
        for key, limit in values.items():
            if key in own and key != "per_volume_gigabytes" and 0 <= limit < used[key]:
                raise ApiError(
                    400,
                    f"Quota {key} limit must be equal or greater than existing resources. "
                    f"Current usage is {used[key]} and the requested limit is {limit}.",
                )

    def reset(self, project_id: str) -> None:
        if project_id in self.table:
            self.table.delete(project_id)

    def usage(self, project_id: str) -> dict[str, int]:
        used = dict.fromkeys(self.defaults(), 0)
        names = {row["id"]: row["name"] for row in self._types}
        for volume in self._volumes.where(project_id=project_id):
            self._count(used, "volumes", volume, volume["size"], names)
        for snapshot in self._snapshots.where(project_id=project_id):
            parent = self._volumes.get(snapshot["volume_id"])
            self._count(used, "snapshots", parent or snapshot, snapshot["volume_size"], names)
        return used

    def _count(self, used: dict[str, int], kind: str, volume: Row, size: int, names: Mapping[str, str]) -> None:
        suffixes = ["", *([f"_{names[volume['type_id']]}"] if volume.get("type_id") in names else [])]
        for suffix in suffixes:
            used[kind + suffix] += 1
            used["gigabytes" + suffix] += size

    def check(self, project_id: str, kind: str, size: int, type_name: str | None, count: int = 1) -> None:
        """Whether `count` more of `kind` (volumes, snapshots; 0 for an extension) with `size` GiB together fit. ApiError 413."""
        limits, used = self.limits(project_id), self.usage(project_id)
        if kind == "volumes" and size > limits["per_volume_gigabytes"] >= 0:
            largest = limits["per_volume_gigabytes"]
            raise over_limit("VolumeSizeExceedsLimit", f"Requested volume size {size}G is larger than maximum allowed limit {largest}G.")
        for suffix in ["", *([f"_{type_name}"] if type_name else [])]:
            key = f"gigabytes{suffix}"
            if used[key] + size > limits[key] >= 0:
                raise over_limit(
                    "VolumeSizeExceedsAvailableQuota",
                    f"Requested volume or snapshot exceeds allowed {key} quota. Requested {size}G, quota is {limits[key]}G "
                    f"and {used[key]}G has been consumed.",
                )
            key = f"{kind}{suffix}"
            if used[key] + count > limits[key] >= 0:
                if kind == "snapshots":
                    raise over_limit("SnapshotLimitExceeded", f"Maximum number of snapshots allowed ({limits[key]}) exceeded")
                said = f"Maximum number of volumes allowed ({limits[key]}) exceeded for quota '{key}'."
                raise over_limit("VolumeLimitExceeded", said)


def _limit(key: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int | str) or not str(value).lstrip("-").isdigit() or int(value) < -1:
        raise ApiError(400, f"Invalid input for field/attribute {key}. Value: {value}. Must be an integer not below -1.")
    return int(value)
