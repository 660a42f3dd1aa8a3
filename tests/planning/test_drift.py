"""What the tenant changed since discover, whom it holds, and what is left alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from millpond.model.change import Effect, FieldChange
from millpond.model.compute import Flavor, Server
from millpond.model.marker import PARKED
from millpond.model.network import AddressPair, AllocationPool, FixedIP, Route
from millpond.model.plan import Drift, TenantPlan
from millpond.reconcilers.network.security_group import KIND as GROUP
from tests.planning.situations import BOTH, PILOT, approved, before, done, leaving
from tests.planning.tenant import SITE, VOLUMES, desired, prepared, volume
from tests.planning.world import World, flagged
from tests.reconcilers.builders import ADDRESS, NETWORK, ROUTER, nic


def drifted(plan: TenantPlan, side: str = "source") -> list[str]:
    return [str(item.address).partition("/")[2] for item in plan.drift if item.side == side]


def held(plan: TenantPlan) -> list[str]:
    """The waves that drift blocks; `-` for a mere warning."""
    return [finding.wave or "-" for finding in plan.findings if finding.code == "source_drift"]


def server(made: World, **values: Any) -> None:
    made.source.compute.put("server-1", **values)


def row(made: World, kind: str, id: str, **values: Any) -> None:
    rows = made.source.network.rows[kind]
    rows[id] = replace(rows[id], **values)


def late_server(made: World) -> None:
    made.source.compute.rows["late"] = Server("late", "late", Flavor("m1.small", 1, 1, 1))


def late_volume(made: World, server: str = "") -> None:
    late = volume("late", "late", 1, server, "/dev/vdz" if server else "")
    made.source.block_storage.rows["late"] = late
    made.arrays["ibox-a"].make(late.backend_name, 1024**3)


def late_port(made: World, **values: Any) -> None:
    made.source.network.rows["port"]["late"] = nic(9, id="late", name="late", **values)


def late_address(made: World, port_id: str) -> None:
    late = replace(ADDRESS, id="late", floating_ip_address="203.0.113.99", port_id=port_id, router_id="")
    made.source.network.put("floatingip", [late])


TURNS: list[tuple[Callable[[World], None], list[str], list[str]]] = [
    (lambda w: server(w, status="SHUTOFF"), ["server/web-1"], ["pilot"]),
    (lambda w: server(w, locked=True), ["server/web-1"], ["pilot"]),
    (lambda w: server(w, flavor=Flavor("m1.large", 4, 8192, 0)), ["server/web-1"], ["pilot"]),
    (lambda w: server(w, updated_at="2026-11-01T00:00:00+00:00"), [], []),
    (lambda w: w.source.block_storage.put("data-1", size=30), ["volume/web-1-data"], ["pilot"]),
    (lambda w: w.source.block_storage.put("root-2", name="renamed"), ["volume/web-2-root"], ["rest"]),
    (lambda w: row(w, "port", "port-2", security_groups=()), ["port/eth0-2"], ["rest"]),
    (lambda w: row(w, "port", "port-1", status="DOWN", host_id="compute-9"), [], []),
    (lambda w: row(w, "network", "n-app", mtu=1450), ["network/app"], ["pilot", "rest"]),
    (lambda w: row(w, "subnet", "s-app", dns_nameservers=()), ["subnet/app-v4"], ["pilot", "rest"]),
    (lambda w: row(w, "security_group", "g-web", rules=()), [f"{GROUP}/web"], ["pilot", "rest"]),
    (lambda w: row(w, "router", "r-edge", routes=()), [], []),
    (late_server, ["server/late@late"], ["rest"]),
    (late_volume, ["volume/late@late"], ["rest"]),
    (lambda w: late_volume(w, "server-1"), ["volume/late@late"], ["pilot"]),
    (lambda w: late_port(w, device_id="server-1"), ["server/web-1", "port/late@late"], ["pilot", "pilot"]),
    (lambda w: late_port(w, device_owner="network:dhcp", device_id="dhcp"), [], []),
    (lambda w: late_port(w, project_id="p-other", device_id=""), [], []),
    (lambda w: w.source.network.put("network", [replace(NETWORK, id="late", name="late")]), ["network/late@late"], ["pilot", "rest"]),
    (lambda w: w.source.network.put("router", [replace(ROUTER, id="late", name="late")]), ["router/late@late"], ["pilot", "rest"]),
    (lambda w: w.source.network.put("router", [replace(ROUTER, id="late", name="late", project_id="p-other")]), [], []),
    (lambda w: late_address(w, port_id="port-1"), ["floating_ip/203.0.113.99"], ["pilot"]),
    (lambda w: late_address(w, port_id=""), ["floating_ip/203.0.113.99"], ["rest"]),
]  # fmt: skip


@pytest.mark.parametrize(("turn", "changed", "waves"), TURNS)
def test_drift_warns_and_holds_the_waves_that_it_concerns(turn: Callable[[World], None], changed: list[str], waves: list[str]) -> None:
    made = prepared()
    turn(made)
    assert sorted(drifted(made.plan(desired()))) == sorted(changed)
    assert held(made.plan(desired())) == ["-"] * len(changed)
    assert sorted(held(made.plan(BOTH))) == sorted(waves)


@pytest.mark.parametrize(
    ("kind", "id", "field", "items"),
    [
        ("port", "port-1", "allowed_address_pairs", (AddressPair("10.0.0.5", ""), AddressPair("10.0.0.4", "fa:16:3e:00:00:01"))),
        ("port", "port-1", "fixed_ips", (FixedIP("s-app", "10.0.0.11"), FixedIP("s-app", "10.0.0.12"))),
        ("subnet", "s-app", "host_routes", (Route("10.9.0.0/24", "10.0.0.9"), Route("10.8.0.0/24", "10.0.0.8"))),
        ("subnet", "s-app", "allocation_pools", (AllocationPool("10.0.0.90", "10.0.0.99"), AllocationPool("10.0.0.20", "10.0.0.29"))),
    ],
)
def test_another_order_of_what_has_none_is_no_drift(kind: str, id: str, field: str, items: tuple[Any, ...]) -> None:
    made, known = prepared(), desired()
    rows = tuple(replace(row, **{field: items}) if row.id == id else row for row in getattr(known.inventory, f"{kind}s"))
    known = replace(known, inventory=replace(known.inventory, **{f"{kind}s": rows}))
    row(made, kind, id, **{field: tuple(reversed(items))})
    assert drifted(made.plan(known)) == []
    row(made, kind, id, **{field: items[:1]})
    assert len(drifted(made.plan(known))) == 1


def test_an_address_that_is_parked_is_nobodys_drift() -> None:
    made = prepared()
    late_address(made, port_id="")
    row(made, "floatingip", "late", description=PARKED)
    assert drifted(made.plan(PILOT)) == []


def test_what_is_gone_is_told() -> None:
    made = prepared()
    del made.source.compute.rows["server-2"]
    found = [item for item in made.plan(BOTH).drift if item.what]
    assert found == [Drift(desired().address("server", "server-2"), "source", (), "is gone from the source", Effect.DELETE)]


def test_changes_are_told_field_by_field_in_plain_values() -> None:
    made = prepared()
    row(made, "port", "port-1", fixed_ips=())
    field = made.plan(desired()).drift[0].fields[0]
    assert (field.path, field.before, field.after) == ("fixed_ips", [{"subnet_id": "s-app", "ip_address": "10.0.0.11"}], [])


def test_under_a_record_power_and_lock_are_ours() -> None:
    made = before("replication_group/pilot-ssd#suspend")
    assert (drifted(made.plan(PILOT)), held(made.plan(PILOT))) == ([], [])
    server(made, name="renamed")
    assert (drifted(made.plan(PILOT)), held(made.plan(PILOT))) == (["server/web-1"], ["-"])


def test_what_was_handed_over_drifts_on_the_target_alone() -> None:
    made = done()
    server(made, name="renamed")
    made.source.block_storage.put(VOLUMES[0].id, name="renamed")
    assert drifted(made.plan(PILOT)) == []
    twin = next(iter(made.target.compute.rows))
    made.target.compute.put(twin, name="mine")
    assert drifted(made.plan(PILOT), "target") == ["server/web-1"]
    made.target.compute.delete_server(twin)
    assert [item.what for item in made.plan(PILOT).drift if item.address.kind == "server"] == ["is gone from the target"]


def there(made: World, kind: str, id: str, **values: Any) -> None:
    """On the target, by the id of the source's."""
    rows = made.target.network.rows[kind]
    twin = next(row for row in getattr(made.target.network, f"{kind}s")("") if row.marker == id)
    rows[twin.id] = replace(rows[twin.id], **values)


def disk(made: World, id: str, **values: Any) -> None:
    twin = next(volume for volume in made.target.block_storage.volumes("") if volume.marker == id)
    made.target.block_storage.put(twin.id, **values)


DRESSED = {"hw_disk_bus": "virtio"}
CHANGED_THERE: dict[str, tuple[Callable[[World], None], str, FieldChange]] = {
    "another type": (lambda w: disk(w, "data-1", volume_type="hdd"), "volume/web-1-data", FieldChange("volume_type", "ssd", "hdd")),
    "another bus": (
        lambda w: disk(w, "root-1", image_metadata={"hw_disk_bus": "scsi"}),
        "volume/web-1-root",
        FieldChange("image_metadata.hw_disk_bus", "virtio", "scsi"),
    ),
    "no bus": (
        lambda w: disk(w, "root-1", image_metadata={}),
        "volume/web-1-root",
        FieldChange("image_metadata.hw_disk_bus", "virtio", None),
    ),
    "another MTU": (lambda w: there(w, "network", "n-app", mtu=9000), "network/app", FieldChange("mtu", 1500, 9000)),
    "another domain": (
        lambda w: there(w, "network", "n-app", dns_domain="acme.example."),
        "network/app",
        FieldChange("dns_domain", "", "acme.example."),
    ),
    "smaller pools": (
        lambda w: there(w, "subnet", "s-app", allocation_pools=(AllocationPool("10.0.0.2", "10.0.0.99"),)),
        "subnet/app-v4",
        FieldChange("allocation_pools", ["10.0.0.2-10.0.0.254"], ["10.0.0.2-10.0.0.99"]),
    ),
}


@pytest.mark.parametrize("case", CHANGED_THERE)
def test_what_was_given_to_a_volume_and_a_network_drifts_on_the_target(case: str) -> None:
    turn, address, change = CHANGED_THERE[case]
    made = done(BOTH)
    assert made.plan(BOTH).drift == ()
    turn(made)
    assert [(str(item.address), item.fields) for item in made.plan(BOTH).drift] == [(f"acme/{address}", (change,))]


def test_what_the_target_filled_in_by_itself_does_not_drift() -> None:
    """Nobody asked for a type, a key or an MTU there."""
    base = desired()
    plain = replace(
        base.inventory,
        volumes=tuple(replace(volume, volume_type="") for volume in base.inventory.volumes),
        networks=tuple(replace(network, mtu=0) for network in base.inventory.networks),
    )
    made = done(BOTH)
    disk(made, "root-1", volume_type="__DEFAULT__", image_metadata={**DRESSED, "hw_rng_model": "virtio"})
    disk(made, "data-1", volume_type="__DEFAULT__", image_metadata={"hw_disk_bus": "ide"})
    there(made, "network", "n-app", mtu=1442)
    assert drifted(made.plan(replace(BOTH, inventory=plain)), "target") == []


def test_a_type_is_the_one_that_the_documents_map_it_to() -> None:
    mapped = replace(SITE, maps=replace(SITE.maps, volume_types={"ssd": "gold"}))
    made = done(BOTH)
    for id in ("root-1", "data-1", "root-2"):
        disk(made, id, volume_type="gold")
    assert made.plan(replace(BOTH, site=mapped)).drift == ()
    assert drifted(made.plan(BOTH), "target") == ["volume/web-1-root", "volume/web-1-data", "volume/web-2-root"]


def test_limits_are_the_tenants_from_the_first_handover_on() -> None:
    made = before("source_server/web-1#verify")
    made.target.compute.limits["cores"] = 99
    assert drifted(made.plan(PILOT), "target") == []
    assert "acme/quota/compute#update" in [step.id for step in made.plan(PILOT).steps]
    made = done()
    assert drifted(made.plan(PILOT), "target") == []
    made.target.compute.limits |= {"cores": 99, "key_pairs": 7}
    (found,) = made.plan(PILOT).drift
    assert found == Drift(desired().address("quota", "compute"), "target", (FieldChange("cores", 20, 99),))


def test_what_the_manifest_states_for_a_limit_is_what_it_drifts_from() -> None:
    stated = flagged(PILOT, quotas={"cores": 60})
    made = done()
    made.target.compute.limits["cores"] = 60
    assert made.plan(stated).drift == ()
    made.target.compute.limits["cores"] = 20
    assert [item.fields for item in made.plan(stated).drift] == [(FieldChange("cores", 60, 20),)]


def test_a_source_that_is_leaving_does_not_drift() -> None:
    made = done(BOTH)
    made.now = made.now.replace(day=9)
    on = approved(made, leaving())
    made.advance(on, lambda plan: any(step.kind == "network" and not step.after for step in plan.changes))
    assert drifted(made.plan(on)) == []
