"""What lives on a source that is to be deleted and stands in no inventory: it holds the end of the source, and is named."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from millpond.model.block_storage import VolumeBackup, VolumeSnapshot
from millpond.model.compute import Flavor, Server
from millpond.model.desired import Desired
from millpond.model.finding import Finding
from millpond.model.image import Image
from millpond.model.network import Port
from millpond.model.plan import TenantPlan
from tests.planning.arrays import GIB
from tests.planning.situations import BOTH, approved, done, leaving
from tests.planning.tenant import INVENTORY, volume
from tests.planning.world import World, at


def server(made: World) -> None:
    made.source.compute.rows["late"] = Server("late", "late", Flavor("m1.small", 1, 1, 1))


def disk(made: World) -> None:
    late = volume("late", "late", 1)
    made.source.block_storage.rows["late"] = late
    made.arrays["ibox-a"].make(late.backend_name, GIB)


def shot(made: World) -> None:
    made.source.block_storage.snapshots_["late"] = VolumeSnapshot("late", "nightly", "root-1")


def image(made: World) -> None:
    made.source.image.rows["late"] = Image("late", "golden", "private")


def copy(made: World) -> None:
    made.source.block_storage.backups_["late"] = VolumeBackup("late", "weekly", "root-1")


def of_the_login(project: str = "", **values: Any) -> Port:
    return replace(INVENTORY.ports[0], id="lb", name="octavia-lb-1", project_id=project or "p-source", device_id="lb-1", **values)


def balancer(made: World) -> None:
    made.source.network.put("port", [of_the_login(device_owner="Octavia")])


def amphora(made: World) -> None:
    made.source.network.put("port", [of_the_login("p-octavia", device_owner="compute:nova")])


LATE: list[tuple[Callable[[World], None], str, str, list[str]]] = [
    (server, "late_server", "the source project holds a server that is not in the inventory: late (late)", ["acme/server/late@late"]),
    (disk, "late_volume", "the source project holds a volume that is not in the inventory: late (late)", ["acme/volume/late@late"]),
    (shot, "late_volume_snapshot", "volume web-1-root of the source has a snapshot that is not in the inventory: nightly (late)", []),
]


LEFT: list[tuple[Callable[[World], None], str, str, str]] = [
    (image, "images_left", "1 image of the source belongs to the project that is to be deleted: golden", "openstack image set --project"),
    (
        copy, "backups_left", "1 backup of a volume belongs to the project that is to be deleted: weekly",
        "openstack volume backup delete",
    ),
    (
        balancer, "service_port", "1 port in the source project belongs to other services: octavia-lb-1 (Octavia)",
        "openstack loadbalancer delete",
    ),
    (
        amphora, "foreign_port", "1 port of another project is on networks that are to go: octavia-lb-1 (compute:nova)",
        "delete what they belong to",
    ),
]  # fmt: skip


def soaked() -> tuple[Desired, World]:
    made = done(BOTH)
    made.now += timedelta(hours=2)
    return approved(made, leaving()), made


def late(plan: TenantPlan) -> list[Finding]:
    return [finding for finding in plan.blockers if finding.code.startswith("late_")]


@pytest.mark.parametrize(("comes", "code", "what", "drift"), LATE)
def test_it_holds_the_decommissioning(comes: Callable[[World], None], code: str, what: str, drift: list[str]) -> None:
    on, made = soaked()
    comes(made)
    sent = len(made.sent)
    plan = made.advance(on)
    assert made.sent[sent:] == []
    assert [(f.code, f.what, f.wave) for f in late(plan)] == [(code, what, "")]
    assert "millpond discover acme" in late(plan)[0].fix
    assert [str(item.address) for item in plan.drift] == drift
    assert "source_drift" not in {finding.code for finding in plan.findings}


@pytest.mark.parametrize(("comes", "code", "what", "drift"), LATE)
def test_one_that_comes_once_it_was_admitted_is_named_too(comes: Callable[[World], None], code: str, what: str, drift: list[str]) -> None:
    on, made = soaked()
    made.advance(on, at("source_server/web-1#delete"))
    comes(made)
    assert [(f.code, f.what) for f in late(made.plan(on))] == [(code, what)]


@pytest.mark.parametrize(("comes", "code", "what", "fix"), LEFT)
def test_what_would_be_left_without_its_project_or_network_holds_it(comes: Callable[[World], None], code: str, what: str, fix: str) -> None:
    on, made = soaked()
    comes(made)
    sent = len(made.sent)
    (found,) = made.advance(on).blockers
    assert made.sent[sent:] == []
    assert (found.code, found.what, found.wave) == (code, what, "")
    assert fix in found.fix


@pytest.mark.parametrize("comes", [image, copy])
def test_a_project_that_stays_keeps_its_images_and_backups(comes: Callable[[World], None]) -> None:
    on, made = soaked()
    comes(made)
    stays = replace(on, excluded=frozenset({"server-2", "root-2"}), waves=on.waves[:1])
    assert {"images_left", "backups_left"}.isdisjoint(finding.code for finding in made.plan(stays).findings)


@pytest.mark.parametrize("comes", [image, copy, balancer, amphora])
def test_nothing_of_that_is_told_while_the_source_stays(comes: Callable[[World], None]) -> None:
    made = done(BOTH)
    comes(made)
    assert made.plan(BOTH).blockers == ()


@pytest.mark.parametrize("owner", ["network:dhcp", "network:distributed", "network:floatingip_agent_gateway", "millpond:fence"])
def test_ports_that_go_with_their_network_hold_nothing(owner: str) -> None:
    on, made = soaked()
    made.source.network.put("port", [of_the_login("p-other", device_owner=owner)])
    assert made.plan(on).blockers == ()


@pytest.mark.parametrize("comes", [server, disk, shot])
def test_before_that_nothing_is_held_by_it(comes: Callable[[World], None]) -> None:
    made = done(BOTH)
    comes(made)
    assert late(made.plan(BOTH)) == []


def test_what_the_inventory_names_does_not_hold() -> None:
    on, made = soaked()
    assert late(made.plan(on)) == []


def test_a_snapshot_of_what_stays_does_not_hold() -> None:
    on, made = soaked()
    shot(made)
    assert late(made.plan(replace(on, excluded=frozenset({"server-1", "root-1", "data-1"}), waves=on.waves[1:]))) == []
