"""A plan is made anew on every tick of an outage: the planner of a large tenant takes well under a second of processor time."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from itertools import product

import pytest

from millpond.model.compute import AttachedVolume
from millpond.model.desired import Desired, DesiredWave
from millpond.model.inventory import Inventory
from millpond.model.network import AllocationPool, FixedIP
from millpond.reconcilers.compute import source_at_rest
from millpond.reconcilers.storage import strayed
from millpond.reconcilers.storage.replication import groups
from tests.planning.tenant import INVENTORY, SITE, desired, server, volume, world
from tests.planning.world import World
from tests.reconcilers import builders as net

MANY = replace(SITE, limits=replace(SITE.limits, replicas=5000))
NETWORKS, DISKS = 3, 3


def inventory(servers: int) -> Inventory:
    """Each server has three disks and a port on each of three networks."""
    numbers = list(product(range(servers), range(NETWORKS)))
    networks = [replace(net.NETWORK, id=f"n-{k}", name=f"net-{k}", segmentation_id=100 + k) for k in range(NETWORKS)]
    subnets = [
        replace(
            net.SUBNET, id=f"s-{k}", name=f"sub-{k}", network_id=f"n-{k}", cidr=f"10.{k}.0.0/16", gateway_ip=f"10.{k}.0.1",
            allocation_pools=(AllocationPool(f"10.{k}.0.2", f"10.{k}.255.254"),),
        )
        for k in range(NETWORKS)
    ]  # fmt: skip
    legs = [
        replace(
            net.LEG,
            id=f"leg-{k}",
            network_id=f"n-{k}",
            mac_address=f"fa:16:3e:aa:00:{k:02x}",
            fixed_ips=(FixedIP(f"s-{k}", f"10.{k}.0.1"),),
        )
        for k in range(NETWORKS)
    ]
    ports = [
        net.nic(
            1, id=f"p-{i}-{k}", name=f"p-{i}-{k}", network_id=f"n-{k}", mac_address=f"fa:16:3e:{k:02x}:{i >> 8:02x}:{i & 255:02x}",
            fixed_ips=(FixedIP(f"s-{k}", f"10.{k}.{1 + i // 250}.{i % 250 + 1}"),), device_id=f"s{i}",
        )
        for i, k in numbers
    ]  # fmt: skip
    disks = [[AttachedVolume(f"{i:04x}{d}-disk", f"/dev/vd{'abc'[d]}") for d in range(DISKS)] for i in range(servers)]
    machines = [
        replace(
            server(1, tuple(disks[i])), id=f"s{i}", name=f"s{i}", hostname=f"s{i}", port_ids=tuple(f"p-{i}-{k}" for k in range(NETWORKS)),
            nic_macs=tuple(f"fa:16:3e:{k:02x}:{i >> 8:02x}:{i & 255:02x}" for k in range(NETWORKS)),
        )
        for i in range(servers)
    ]  # fmt: skip
    volumes = [
        volume(v.volume_id, v.volume_id, 10, f"s{i}", v.device, bootable=v.device == "/dev/vda") for i in range(servers) for v in disks[i]
    ]
    return replace(
        INVENTORY, networks=(*networks, net.EXTERNAL), subnets=(*subnets, net.EXTERNAL_SUBNET), router_ports=tuple(legs), floating_ips=(),
        routers=(replace(net.ROUTER, routes=()),), ports=tuple(ports), servers=tuple(machines), volumes=tuple(volumes),
    )  # fmt: skip


def tenant(servers: int, wave: int, grouping: str = "consistency_group") -> tuple[Desired, World]:
    made = inventory(servers)
    waves = tuple(
        DesiredWave(
            f"w{at}", tuple(s.id for s in some), tuple(v.volume_id for s in some for v in s.volumes), cutover=False, grouping=grouping
        )
        for at, some in enumerate(made.servers[first : first + wave] for first in range(0, servers, wave))
    )
    return replace(desired(made, MANY), waves=waves), world(made, MANY)


def seconds(plan: Callable[[], object]) -> float:
    """The better of two: another process may have evicted the caches."""
    taken = []
    for _ in range(2):
        begun = time.process_time()
        plan()
        taken.append(time.process_time() - begun)
    return min(taken)


@pytest.mark.parametrize("wave", [50, 300])
def test_a_tenant_of_300_servers_is_planned_in_well_under_a_second(wave: int) -> None:
    documents, made = tenant(300, wave)
    snapshot = made.snapshot()
    assert len(made.plan(documents).steps) > 5000
    made.snapshot = lambda: replace(snapshot)  # type: ignore[method-assign]
    assert seconds(lambda: made.plan(documents)) < 1.0


@pytest.mark.parametrize("grouping", ["consistency_group", "volume"])
def test_a_cut_of_60_servers_is_planned_in_a_fraction_of_that(grouping: str) -> None:
    documents, made = tenant(60, 60, grouping)
    made.check = lambda: None  # type: ignore[method-assign]
    made.advance(documents)
    cut = replace(documents, waves=tuple(replace(one, cutover=True) for one in documents.waves))
    snapshot = made.snapshot()
    made.snapshot = lambda: replace(snapshot)  # type: ignore[method-assign]
    assert seconds(lambda: made.plan(documents)) < 0.2
    assert seconds(lambda: made.plan(cut)) < 0.4


def test_what_a_way_back_asks_of_each_of_300_servers_is_found_once_for_all() -> None:
    """The detached volumes of a wave move with all of its servers."""
    documents, _ = tenant(300, 300, "volume")
    loose = tuple(volume(f"loose-{i}", f"loose-{i}", 5) for i in range(100))
    owned = replace(documents.inventory, volumes=(*documents.inventory.volumes, *loose))
    (wave,) = documents.waves
    documents = replace(documents, inventory=owned, waves=(replace(wave, volumes=(*wave.volumes, *(one.id for one in loose))),))
    snapshot = world(owned, MANY).snapshot()
    assert len(groups(documents, snapshot)) == 1000

    def asked() -> None:
        fresh = replace(snapshot)
        for one in owned.servers:
            source_at_rest.away(documents, fresh, one)
            strayed.of_server(documents, fresh, one.id)

    assert seconds(asked) < 0.2
