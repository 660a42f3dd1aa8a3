"""Placement over its own API, with the real keystoneauth."""

import pytest
from openstack.connection import Connection

from tests.sandbox.running import Sandbox
from tests.sandbox.tenant import new_member

ASKED = "resources=VCPU:2,MEMORY_MB:2048,DISK_GB:10"


def test_every_hypervisor_is_a_provider(target: Connection) -> None:
    providers = {provider.name: provider for provider in target.placement.resource_providers()}
    assert set(providers) == {"target-compute-0", "target-compute-1", "target-compute-2"}
    provider = providers["target-compute-1"]
    assert [found.id for found in target.placement.resource_providers(name="target-compute-1")] == [provider.id]
    inventories = target.placement.get(f"/resource_providers/{provider.id}/inventories").json()["inventories"]
    assert set(inventories) == {"VCPU", "MEMORY_MB", "DISK_GB"}
    assert target.placement.get(f"/resource_providers/{provider.id}/usages").json()["usages"]["VCPU"] == 0
    assert target.placement.get("/resource_providers/nowhere").json()["errors"][0]["status"] == 404


def test_candidates_are_the_hosts_with_room(target: Connection) -> None:
    old = target.placement.get(f"/allocation_candidates?{ASKED}", microversion="1.10").json()
    assert len(old["allocation_requests"]) == len(old["provider_summaries"]) == 3
    assert old["allocation_requests"][0]["allocations"][0]["resources"] == {"VCPU": 2, "MEMORY_MB": 2048, "DISK_GB": 10}
    new = target.placement.get(f"/allocation_candidates?{ASKED}&limit=1", microversion="1.36").json()
    [request] = new["allocation_requests"]
    assert list(request["allocations"]) == list(new["provider_summaries"])
    huge = target.placement.get("/allocation_candidates?resources=VCPU:99999", microversion="1.36").json()
    assert huge["allocation_requests"] == []


@pytest.mark.parametrize(
    ("path", "microversion", "status"),
    [
        (f"/allocation_candidates?{ASKED}", "1.9", 404),
        ("/allocation_candidates?resources=VCPU", "1.10", 400),
        ("/resource_classes", "1.1", 404),
        ("/resource_classes", "1.2", 200),
        ("/traits", "1.6", 200),
        ("/resource_providers", "1.99", 406),
    ],
)
def test_microversions_count(target: Connection, path: str, microversion: str, status: int) -> None:
    assert target.placement.get(path, microversion=microversion).status_code == status


def test_placement_is_for_administrators(sandbox: Sandbox, target: Connection) -> None:
    member = new_member(sandbox, target)
    assert member.placement.get("/resource_providers").status_code == 403
