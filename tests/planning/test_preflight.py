"""What is refused for now, by a blocker that says so, and keeps its wave from being touched."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from millpond.model.block_storage import VolumeSnapshot
from millpond.model.finding import Severity
from millpond.model.inventory import Inventory
from millpond.model.site import PoolEnd, PoolPair
from millpond.planning.build import build
from tests.planning.arrays import Array, LunMapping
from tests.planning.situations import flags
from tests.planning.tenant import INVENTORY, SERVERS, SITE, SMALL, VOLUMES, desired, prepared, world
from tests.planning.world import World

TPM = replace(SMALL, extra_specs={"hw:tpm_version": "2.0"})


def with_second(**values: Any) -> Inventory:
    return replace(INVENTORY, servers=(SERVERS[0], replace(SERVERS[1], **values)))


def with_volume(**values: Any) -> Inventory:
    return replace(INVENTORY, volumes=(*VOLUMES[:2], replace(VOLUMES[2], **values)))


@pytest.mark.parametrize(
    ("tenant", "code"),
    [
        (with_second(image_id="i-cirros"), "image_booted"),
        (with_second(flavor=TPM), "vtpm"),
        (with_volume(image_metadata={"hw_tpm_version": "2.0", "hw_tpm_model": "tpm-crb"}), "vtpm"),
        (with_volume(encrypted=True), "encrypted"),
        *((with_second(status=status), "server_state") for status in ("PAUSED", "SUSPENDED", "RESCUE", "VERIFY_RESIZE", "ERROR")),
    ],
)
def test_what_cannot_be_carried_holds_its_wave_alone(tenant: Inventory, code: str) -> None:
    made = world(tenant)
    made.tick()
    plan = made.plan(flags(pilot=True, rest=True, base=desired(tenant)))
    (found,) = (finding for finding in plan.blockers if finding.code == code)
    assert (found.wave, found.severity) == ("rest", Severity.BLOCKER)
    assert found.why
    assert "exclude" in found.fix
    rest = made.advance(flags(pilot=True, rest=True, base=desired(tenant)))
    assert made.source.compute.rows["server-2"] == tenant.servers[1]
    assert next(finding.code for finding in rest.blockers if finding.wave == "rest") == code
    assert made.source.compute.rows["server-1"].status == "SHUTOFF"


def turned_off(name: str, **values: Any) -> Callable[[World], None]:
    def turn(made: World) -> None:
        array = made.arrays[name]
        facts = array.facts
        array.facts = lambda: replace(facts(), **values)  # type: ignore[method-assign]

    return turn


@pytest.mark.parametrize(("array", "peer"), [("ibox-a", "ibox-b"), ("ibox-b", "ibox-a")])
@pytest.mark.parametrize(("links", "code"), [({"down": False}, "link_down"), ({}, "no_link")])
def test_the_link_between_a_pairs_own_arrays_holds_the_whole_tenant(array: str, peer: str, links: dict[str, bool], code: str) -> None:
    """However well the link to a third array does."""
    made = prepared()
    turned_off(array, links={"serial-third": True, **{f"serial-{peer}": up for up in links.values()}})(made)
    (found,) = (finding for finding in made.plan(flags(pilot=True)).blockers if finding.code in ("link_down", "no_link"))
    assert (found.code, found.wave, str(found.address)) == (code, "", f"acme/array/{array}")
    assert f"{array} " in found.what
    assert f"to {peer}" in found.what


def test_a_link_that_carries_nothing_of_the_tenant_holds_nothing() -> None:
    """`ibox-c` and its pair are another tenant's."""
    pair = PoolPair("hdd", PoolEnd("ibox-a", "pool-9"), PoolEnd("ibox-c", "pool-1"))
    documents = replace(flags(pilot=True), site=replace(SITE, pool_pairs=(*SITE.pool_pairs, pair)))
    made = prepared()
    made.arrays["ibox-c"] = Array("ibox-c", made.clock)
    assert [finding.code for finding in made.plan(documents).blockers] == []


def test_both_pools_on_one_array_are_refused_by_name_and_by_serial() -> None:
    pair = PoolPair("ssd", PoolEnd("ibox-a", "pool-1"), PoolEnd("ibox-a", "pool-2"))
    one = replace(desired(), site=replace(SITE, pool_pairs=(pair,)))
    assert "same_array" in {finding.code for finding in world().plan(one).blockers}
    made = world()
    for name in ("ibox-a", "ibox-b"):
        turned_off(name, serial="4711")(made)
    assert "same_array" in {finding.code for finding in made.plan(desired()).blockers}
    assert "same_array" not in {finding.code for finding in world().plan(desired()).blockers}


def test_a_volume_that_no_pool_pair_leads_from_is_told() -> None:
    made = world()
    array = made.arrays["ibox-a"]
    id = array.by_name("openstack-vol-root-2").id
    array.volumes_[id] = replace(array.volumes_[id], pool="pool-9")
    assert ("no_pool_pair", "rest") in {(finding.code, finding.wave) for finding in made.plan(desired()).blockers}
    del array.volumes_[id]
    assert ("not_on_array", "rest") in {(finding.code, finding.wave) for finding in made.plan(desired()).blockers}


def test_a_running_server_is_no_finding() -> None:
    assert [finding.code for finding in world().plan(desired()).blockers] == []


def test_what_needs_a_look_is_told_without_holding_anything() -> None:
    made = world()
    made.source.compute.put("server-2", task_state="rebooting")
    array = made.arrays["ibox-a"]
    id = array.by_name("openstack-vol-root-2").id
    array.volumes_[id] = replace(array.volumes_[id], size=array.volumes_[id].size + 512)
    plan = made.plan(desired())
    assert {("server_busy", "warning", "rest"), ("size_not_whole_gib", "info", "rest")} <= {
        (finding.code, finding.severity.value, finding.wave) for finding in plan.findings
    }
    assert [finding.code for finding in plan.blockers] == []


def test_a_pool_that_is_not_there_is_a_blocker() -> None:
    pair = PoolPair("ssd", PoolEnd("ibox-a", "pool-1"), PoolEnd("ibox-b", "pool-9"))
    named = replace(desired(), site=replace(SITE, pool_pairs=(pair,)))
    assert [(finding.code, str(finding.address)) for finding in world().plan(named).blockers] == [
        ("missing_pool", "acme/pool/ibox-b:pool-9")
    ]


def test_snapshots_of_volumes_that_move_are_told_of() -> None:
    shots = (
        VolumeSnapshot("s-2", "nightly", "root-1"),
        VolumeSnapshot("s-1", "", "root-1"),
        VolumeSnapshot("s-3", "of another", "elsewhere"),
    )
    made = world(replace(INVENTORY, snapshots=shots))
    made.tick()
    (told,) = (finding for finding in made.plan(desired()).findings if finding.code == "snapshots_left_behind")
    assert (told.severity, told.wave, str(told.address)) == (Severity.INFO, "", "acme/snapshot")
    assert told.what == "2 snapshots of volumes are not moved: nightly, s-1"


PORTS = ("10000090fa000001", "10000090fa000002")


def mapped(made: World, *hosts: str, told: bool = False) -> None:
    """`web-1-data` is mapped to these hosts and to no other; `told`: Cinder tells the ports of its hypervisor."""
    array = made.arrays["ibox-a"]
    disk = array.by_name("openstack-vol-data-1").id
    array.mappings = {mapping for mapping in array.mappings if mapping.volume_id != disk}
    array.mappings |= {LunMapping(host, disk) for host in hosts}
    if told:
        made.source.block_storage.initiators_[("data-1", "server-1")] = frozenset(PORTS)


FIBRE = tuple(f"openstack-host-{port}" for port in PORTS)


@pytest.mark.parametrize(
    ("hosts", "told", "more"),
    [
        (("openstack-host-iqn-0",), False, ""),
        ((), False, ""),
        (("openstack-host-iqn-0", "backup"), False, "backup, openstack-host-iqn-0"),
        (FIBRE, True, ""),
        ((*FIBRE, "openstack-host-10000090fa000009"), True, "openstack-host-10000090fa000009"),
        ((*FIBRE, "backup"), True, "backup"),
        (FIBRE, False, ", ".join(FIBRE)),
    ],
)
def test_a_mapping_that_no_attachment_accounts_for_holds_a_wave_before_it_is_stopped(hosts: tuple[str, ...], told: bool, more: str) -> None:
    made = prepared()
    mapped(made, *hosts, told=told)
    found = [(f.severity, f.wave, f.what) for f in made.plan(desired()).findings if f.code == "mapped_elsewhere"]
    what = f"ibox-a maps openstack-vol-data-1 to {more}: more than its attachments account for"
    assert found == ([(Severity.WARNING, "pilot", what)] if more else [])
    plan = made.advance(flags(pilot=True))
    assert [f.code for f in plan.blockers] == (["mapped_elsewhere"] if more else [])
    assert made.source.compute.rows["server-1"].status == ("ACTIVE" if more else "SHUTOFF")


def test_a_server_that_migrates_is_mapped_to_two_hosts_and_waited_for() -> None:
    made = prepared()
    mapped(made, "openstack-host-iqn-0", "openstack-host-iqn-1")
    made.source.compute.put("server-1", task_state="migrating")
    assert [f.code for f in made.plan(flags(pilot=True)).blockers] == []


def test_ports_that_this_login_may_not_know_are_judged_when_it_matters() -> None:
    made = prepared()
    mapped(made, *FIBRE)
    seen = made.snapshot()
    blind = replace(seen, storage=replace(seen.storage, initiators=None))
    assert [f.code for f in build(flags(pilot=True), blind).blockers] == []
