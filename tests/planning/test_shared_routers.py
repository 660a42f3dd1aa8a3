"""A router that the tenant's networks share with one that stays on the source."""

from __future__ import annotations

from dataclasses import replace

from millpond.model.compute import AttachedVolume
from millpond.model.desired import Desired
from millpond.model.network import AllocationPool, FixedIP, Port
from tests.planning.situations import flags
from tests.planning.tenant import INVENTORY, desired, server, volume, world
from tests.planning.world import World
from tests.reconcilers import builders as net

OLD = replace(net.NETWORK, id="n-old", name="old", segmentation_id=102)
POOLS = (AllocationPool("10.9.0.2", "10.9.0.254"),)
OLD_V4 = replace(
    net.SUBNET, id="s-old", name="old-v4", network_id="n-old", cidr="10.9.0.0/24", gateway_ip="10.9.0.1", allocation_pools=POOLS
)
LEG = replace(net.LEG, id="i-old", network_id="n-old", mac_address="fa:16:3e:00:00:09", fixed_ips=(FixedIP("s-old", "10.9.0.1"),))
NIC = replace(net.nic(3), network_id="n-old", fixed_ips=(FixedIP("s-old", "10.9.0.13"),))
ROOT = volume("root-3", "old-root", 10, "server-3", "/dev/vda", bootable=True)
STAYS = server(3, (AttachedVolume("root-3", "/dev/vda"),))


def sharing(*ports: Port) -> tuple[World, Desired]:
    inventory = replace(
        INVENTORY,
        networks=(*INVENTORY.networks, OLD),
        subnets=(*INVENTORY.subnets, OLD_V4),
        router_ports=(*INVENTORY.router_ports, LEG),
        ports=(*INVENTORY.ports, *ports),
        servers=(*INVENTORY.servers, STAYS),
        volumes=(*INVENTORY.volumes, ROOT),
    )
    base = desired(inventory)
    rest = replace(base.waves[1], servers=("server-2",), volumes=("root-2",))
    base = replace(base, waves=(base.waves[0], rest), excluded=frozenset({"n-old", "server-3", "root-3"}))
    made = world(inventory)
    made.tick()
    made.advance(base)
    made.tick(3600)
    return made, base


def test_a_gateway_that_an_excluded_network_needs_is_not_taken_silently() -> None:
    made, base = sharing(NIC)
    assert made.plan(flags(pilot=True, base=base)).blockers == ()  # the gateway stays where it is until the last wave
    (found,) = made.plan(flags(pilot=True, rest=True, base=base)).blockers
    assert (found.code, str(found.address)) == ("excluded_network_loses_gateway", "acme/segment/edge")
    assert "old" in found.what
    made.advance(flags(pilot=True, rest=True, base=base))
    assert made.source.network.rows["router"]["r-edge"].gateway_network_id
    assert {s.status for s in made.source.compute.rows.values()} == {"ACTIVE"}


def test_one_that_nobody_uses_holds_nothing() -> None:
    made, base = sharing()
    assert made.plan(flags(pilot=True, rest=True, base=base)).blockers == ()
