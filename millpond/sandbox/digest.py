"""A stable description of everything that matters to where a migration ends up.

Two worlds that differ only in ids, times, tokens and the order of arrival have the same digest.
"""

import hashlib
import json
import re
from typing import Any

from millpond.sandbox.cinder import digest as cinder
from millpond.sandbox.clouds import SimulatedCloud
from millpond.sandbox.glance import digest as glance
from millpond.sandbox.infinibox import digest as infinibox
from millpond.sandbox.keystone import digest as keystone
from millpond.sandbox.neutron import digest as neutron
from millpond.sandbox.nova import digest as nova
from millpond.sandbox.simulation import Simulation

ID = re.compile(r"\b[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}\b")
ACCIDENTS = {
    re.compile(r"\b\d{4}-?\d\d-?\d\dT\d\d:?\d\d:?\d\d(\.\d+)?Z?"): "<time>",
    re.compile(r"\b1\d{9}(\d{3})?(\.\d+)?\b"): "<time>",
    re.compile(r"\b(source|target)-compute-\d+\b"): "<compute host>",
    re.compile(r"\bfa:16:3e:(00|80):[0-9a-f]{2}:[0-9a-f]{2}\b"): "<mac>",
}
"""What differs from run to run: times, the host a server landed on, the MAC addresses that Neutron draws by itself."""
EXACT = ("checksum",)
ORDERED = {"ports": str, "fixed_ips": dict, "dns_nameservers": str}
"""Lists whose order says something, by key and kind of their items; every other list is sorted."""
RECORDED = re.compile(r"millpond\.(cut|run|stopped|booting|verified|returned|attempts)$")
"""Metadata keys of which it matters that they are there, but not what a particular run put in."""


def digest(world: Simulation) -> dict[str, Any]:
    """`{"clouds": ..., "arrays": ..., "sha256": ...}`; each service and array has a digest of its own."""
    clouds = {name: _of_cloud(cloud) for name, cloud in world.clouds.items()}
    arrays = {name: {**infinibox.digest(array), "hosts": None} for name, array in world.arrays.items()}
    plain = Normalised(world).value({"clouds": clouds, "arrays": arrays})
    text = json.dumps(plain, sort_keys=True)
    return {**plain, "sha256": hashlib.sha256(text.encode()).hexdigest()}


def _of_cloud(cloud: SimulatedCloud) -> dict[str, Any]:
    return {
        "keystone": keystone.digest(cloud.keystone),
        "neutron": neutron.digest(cloud.neutron),
        "cinder": cinder.digest(cloud.cinder),
        "glance": glance.digest(cloud.glance),
        "nova": nova.digest(cloud.nova),
    }


class Normalised:
    """Replaces every id by the name of what has it and times by `<time>`, and sorts what has no order of its own."""

    def __init__(self, world: Simulation) -> None:
        self._names: dict[str, str] = {}
        for table in map(world.store.table, world.store.names()):
            kind = table.name.rsplit("/", 1)[-1]
            for row in table:
                name = row.get("mac_address") or row.get("name")
                if name:
                    self._names[row["id"].replace("-", "")] = f"<{kind} {name}>"

    def value(self, value: Any, key: str = "") -> Any:
        if isinstance(value, dict):
            return {self.text(name): self.value(item, name) for name, item in value.items()}
        if isinstance(value, list | tuple):
            items = [self.value(item) for item in value]
            kept = key in ORDERED and all(isinstance(item, ORDERED[key]) for item in items)
            return items if kept else sorted(items, key=lambda item: json.dumps(item, sort_keys=True))
        if key in EXACT:
            return value
        if RECORDED.fullmatch(key):
            return "<set>"
        return self.text(value) if isinstance(value, str) else value

    def text(self, text: str) -> str:
        text = ID.sub(lambda match: self._names.get(match[0].replace("-", ""), "<id>"), text)
        for pattern, word in ACCIDENTS.items():
            text = pattern.sub(word, text)
        return text
