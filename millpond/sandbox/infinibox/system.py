"""The system object: what the array says about itself."""

from millpond.sandbox.core.store import Row
from millpond.sandbox.infinibox.array import InfiniBox


def system(box: InfiniBox) -> Row:
    """`localtime` in milliseconds is the clock by which restore points are told."""
    now = box.world.clock.ms()
    pools = box.pools.rows()
    return {
        "id": 0,
        "name": box.name,
        "serial_number": box.serial_number,
        "version": box.version,
        "model": "F6000",
        "release": {"system": {"revision": box.version}},
        "operational_state": {"state": "ACTIVE", "description": "", "mode": None, "init_state": None, "read_only_system": False},
        "localtime": {"utc_time": now, "local_time": now, "gmt_offset": 0, "timezone": "UTC", "source": "NTP"},
        "capacity": {
            "total_physical_capacity": sum(pool["physical_capacity"] for pool in pools),
            "allocated_physical_space": sum(box.pools.allocated(pool) for pool in pools),
        },
        "entity_counts": {
            "pools": len(pools),
            "volumes": len(box.volumes.table),
            "hosts": len(box.hosts.table),
            "consistency_groups": len(box.groups.table),
            "replicas": len(box.replicas.table),
        },
        "limits": {"max_replicas": box.world.settings.limits.replicas},
    }
