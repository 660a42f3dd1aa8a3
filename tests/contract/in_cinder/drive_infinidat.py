"""Drives Cinder's Infinidat driver, as it was released, against one array; run by the Python of a Cinder's own environment.

Arguments: address and port of the array, protocol (iscsi or fc), a directory for locks. Prints one JSON document: what every step gave.
The driver has no setting for the port, so the class it logs in with is given it here. No Cinder service, database or queue is needed.
"""

import json
import sys
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from uuid import uuid4

from cinder import coordination, objects
from oslo_config import cfg

objects.register_all()  # the driver's modules expect it when they are imported

from cinder.volume import configuration  # noqa: E402
from cinder.volume.drivers import infinidat  # noqa: E402

GROUP = "ibox"
NAME = f"{GROUP}-pool"
CONNECTORS = {
    "iscsi": {"initiator": "iqn.1993-08.org.debian:01:contract", "host": "here", "ip": "127.0.0.1", "multipath": False},
    "fc": {"wwpns": ["2100000e1e111111", "2100000e1e222222"], "host": "here", "multipath": False},
}


class Driven:
    """The driver, ready, with a pool of its own on the array."""

    def __init__(self, address, port, protocol, locks):
        infinidat.infinisdk.InfiniBox = partial(on_port, infinidat.infinisdk.InfiniBox, port)
        cfg.CONF(["--config-dir", str(locks)], project="cinder")
        options = configuration.Configuration(infinidat.infinidat_opts, config_group=GROUP)
        options.append_config_values(infinidat.san.san_opts)
        self.driver = infinidat.InfiniboxVolumeDriver(configuration=options)
        wanted = {"san_ip": address, "san_login": "admin", "san_password": "123456", "infinidat_pool_name": NAME}
        wanted |= {"infinidat_storage_protocol": protocol, "infinidat_iscsi_netspaces": ["iscsi"], "volume_backend_name": NAME}
        for name, value in wanted.items():
            cfg.CONF.set_override(name, value, group=GROUP)
        cfg.CONF.set_override("backend_url", f"file://{locks}", group="coordination")
        coordination.COORDINATOR.start()
        self.driver.do_setup(None)
        self.connector = CONNECTORS[protocol]
        self.box = self.driver._system

    def shown(self, name):
        """The array's volume of that name, None where there is none."""
        found = self.box.volumes.safe_get(name=name)
        if found is None:
            return None
        marks = found.get_all_metadata()
        luns = [lun.get_host().get_name() for lun in found.get_logical_units()]
        size = int(found.get_size().bits // 8)
        return {"size": size, "provtype": found.get_provisioning(), "metadata": marks, "mapped_to": sorted(luns)}

    def refused(self, call, *arguments):
        try:
            call(*arguments)
        except Exception as error:
            return type(error).__name__
        return ""


def on_port(make, port, address, **more):
    return make((address, port), **more)


def volume(size=1, **fields):
    id = str(uuid4())
    more = {
        "volume_type": None,
        "volume_type_id": None,
        "group_id": None,
        "volume_attachment": [],
        "multiattach": False,
        "display_name": "disk",
    }
    return SimpleNamespace(**{"id": id, "name_id": id, "name": f"volume-{id}", "size": size, **more, **fields})


def play(driven):
    driver, steps = driven.driver, {}
    first = volume(2)
    name = f"openstack-vol-{first.id}"
    driver.create_volume(first)
    steps["created"] = driven.shown(name) | {"id": first.id}
    steps["stats"] = {
        key: value for key, value in driver.get_volume_stats(refresh=True).items() if isinstance(value, int | float | str | bool)
    }
    driver.extend_volume(first, 3)
    steps["extended"] = driven.shown(name)
    snapshot = SimpleNamespace(id=str(uuid4()), name="snapshot", volume=first, volume_size=3)
    driver.create_snapshot(snapshot)
    steps["with a snapshot it is busy"] = driven.refused(driver.delete_volume, first)
    driver.delete_snapshot(snapshot)
    steps["connection"] = driver.initialize_connection(first, driven.connector)
    steps["mapped"] = driven.shown(name)
    steps["mapped again"] = driver.initialize_connection(first, driven.connector)["data"].get("target_lun")
    driver.terminate_connection(first, driven.connector)
    steps["unmapped"] = driven.shown(name)
    steps["hosts left"] = [host.get_name() for host in driven.box.hosts.find()]
    steps["manageable"] = [row["reference"] for row in driver.get_manageable_volumes([], None, 100, 0, ["size"], ["asc"])]
    driver.unmanage(first)
    steps["unmanaged"] = driven.shown(name)
    second = volume(0)
    steps["size to manage"] = driver.manage_existing_get_size(second, {"source-name": name})
    driver.manage_existing(second, {"source-name": name})
    steps["managed"] = {"old": driven.shown(name), "new": driven.shown(f"openstack-vol-{second.id}"), "id": second.id}
    steps["nothing to manage"] = driven.refused(driver.manage_existing_get_size, second, {"source-name": "nowhere"})
    driver.delete_volume(second)
    steps["deleted"] = driven.shown(f"openstack-vol-{second.id}")
    steps["deleted twice"] = driven.refused(driver.delete_volume, second)
    steps["unmanaging what is gone"] = driven.refused(driver.unmanage, second)
    return steps


if __name__ == "__main__":
    print(json.dumps(play(Driven(sys.argv[1], int(sys.argv[2]), sys.argv[3], Path(sys.argv[4]))), default=str))
