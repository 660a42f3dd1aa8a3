"""InfiniBoxes as Cinder's own Infinidat driver meets them: the released class of both of the lab's Cinders, over iSCSI and Fibre Channel."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.contract.boxes import GIB, PASSWORD
from tests.lab.planes import PLANES, ControlPlane
from tests.sandbox.running import start_sandbox

SCRIPT = Path(__file__).parent / "in_cinder" / "drive_infinidat.py"
POOL = {"name": "ibox-pool", "physical_capacity": 100 * GIB, "virtual_capacity": 100 * GIB}

pytestmark = pytest.mark.lab


@pytest.fixture(
    scope="module",
    params=[(plane, protocol) for plane in PLANES for protocol in ("iscsi", "fc")],
    ids=lambda one: f"{one[0].release}-{one[1]}",
)
def steps(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What every step of the script gave, on an array without a past."""
    plane, protocol = request.param
    running = start_sandbox(tmp_path_factory.mktemp("driver"), scenario="none")
    try:
        url = f"{running.urls['ibox-a']}/api/rest/pools?approved=true"
        requests.post(url, json=POOL, auth=("admin", PASSWORD), timeout=10).raise_for_status()
        return played(plane, (running.host("ibox-a"), running.port), protocol, tmp_path_factory.mktemp("locks"))
    finally:
        running.stop()


def played(plane: ControlPlane, array: tuple[str, int], protocol: str, locks: Path) -> dict[str, Any]:
    assert plane.python.exists(), f"the lab's release {plane.release} is not installed: make lab-install"
    command = [str(plane.python), "-W", "ignore", str(SCRIPT), array[0], str(array[1]), protocol, str(locks)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return {**found, "protocol": protocol}


def test_a_volume_is_made_thin_marked_and_extended(steps: dict[str, Any]) -> None:
    made = steps["created"]
    assert (made["size"], made["provtype"], made["mapped_to"]) == (2 * GIB, "THIN", [])
    assert (made["metadata"]["system"], made["metadata"]["cinder_id"]) == ("openstack", made["id"])
    assert made["metadata"]["cinder_name"] == f"volume-{made['id']}"
    assert steps["extended"]["size"] == 3 * GIB


def test_the_pool_is_reported(steps: dict[str, Any]) -> None:
    stats = steps["stats"]
    assert stats["total_capacity_gb"] == 100
    assert 0 < stats["free_capacity_gb"] <= 100
    assert (stats["volume_backend_name"], stats["vendor_name"], stats["multiattach"]) == ("ibox-pool", "INFINIDAT", True)


def test_what_has_snapshots_is_busy(steps: dict[str, Any]) -> None:
    assert steps["with a snapshot it is busy"] == "VolumeIsBusy"


def test_a_connection_maps_the_volume_once_and_its_end_takes_the_host_away(steps: dict[str, Any]) -> None:
    connection = steps["connection"]
    lun = connection["data"]["target_lun"]
    assert connection["driver_volume_type"] == {"iscsi": "iscsi", "fc": "fibre_channel"}[steps["protocol"]]
    assert steps["mapped again"] == lun
    assert len(steps["mapped"]["mapped_to"]) == {"iscsi": 1, "fc": 2}[steps["protocol"]]
    assert all(name.startswith("openstack-host-") for name in steps["mapped"]["mapped_to"])
    assert (steps["unmapped"]["mapped_to"], steps["hosts left"]) == ([], [])


def test_unmanage_takes_the_marks_and_leaves_the_name(steps: dict[str, Any]) -> None:
    assert steps["unmanaged"] == {"size": 3 * GIB, "provtype": "THIN", "metadata": {}, "mapped_to": []}
    assert steps["manageable"][0]["source-name"] == f"openstack-vol-{steps['created']['id']}"


def test_manage_renames_and_marks_anew(steps: dict[str, Any]) -> None:
    assert steps["size to manage"] == 3
    assert steps["managed"]["old"] is None
    assert steps["managed"]["new"]["metadata"]["cinder_id"] == steps["managed"]["id"]
    assert steps["nothing to manage"] == "VolumeNotFound"


def test_deleting_twice_does_no_harm_and_unmanaging_what_is_gone_fails(steps: dict[str, Any]) -> None:
    assert (steps["deleted"], steps["deleted twice"], steps["unmanaging what is gone"]) == (None, "", "VolumeNotFound")
