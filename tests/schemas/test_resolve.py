"""Manifest over inventory: who is in which wave, and every reference that does not fit."""

from __future__ import annotations

from dataclasses import replace

import pytest

from millpond.model.identity import Project
from millpond.model.network import Port
from millpond.schemas import load_all
from tests.schemas.writing import INVENTORY, SiteDirectory, lines, members, server, volume


def test_without_waves_everything_is_in_rest(site: SiteDirectory) -> None:
    desired = site.acme()
    (rest,) = desired.waves
    assert (rest.name, rest.cutover, rest.window, rest.rollback, rest.grouping) == ("rest", False, None, None, "consistency_group")
    assert set(rest.servers) == {each.id for each in INVENTORY.servers}
    assert set(rest.volumes) == {each.id for each in INVENTORY.volumes}


def test_volumes_move_with_their_servers_and_what_is_left_comes_last(site: SiteDirectory) -> None:
    desired = site.acme("waves:\n  - {name: web, servers: [web-1, web-2], volumes: [spare]}\n")
    assert members(desired) == {
        "web": (("srv-web-1", "srv-web-2"), ("vol-web-1", "vol-web-2", "vol-shared", "vol-spare")),
        "rest": (("srv-bastion", "srv-twin-a", "srv-twin-b"), ("vol-bastion", "vol-archive")),
    }


def test_a_wave_that_people_call_rest_takes_what_is_left(site: SiteDirectory) -> None:
    desired = site.acme("waves:\n  - {name: web, servers: [web-1, web-2]}\n  - {name: rest, servers: [bastion], cutover: true}\n")
    assert [wave.name for wave in desired.waves] == ["web", "rest"]
    assert set(desired.waves[1].servers) == {"srv-bastion", "srv-twin-a", "srv-twin-b"}
    assert [wave.cutover for wave in desired.waves] == [False, True]


def test_rest_is_no_wave_when_nothing_is_left(site: SiteDirectory) -> None:
    small = replace(INVENTORY, servers=INVENTORY.servers[:1], volumes=INVENTORY.volumes[:1])
    assert list(members(site.acme("waves: [{name: all, servers: [bastion]}]", small))) == ["all"]


def test_an_id_serves_where_names_repeat(site: SiteDirectory) -> None:
    desired = site.acme("waves: [{name: twins, servers: [{source_id: srv-twin-a}]}]\nservers: [{source_id: srv-twin-b, power: shutoff}]")
    assert desired.waves[0].servers == ("srv-twin-a",)
    assert desired.server_values["srv-twin-b"].power == "shutoff"


def test_the_flag_of_a_wave_overrides_the_tenants(site: SiteDirectory) -> None:
    spec = """\
    cutover: true
    rollback: {cut: c1, target_writes: discard}
    window: {opens: 2026-12-01T22:00:00Z, closes: 2026-12-02T02:00:00Z}
    grouping: volume
    waves:
      - {name: a, servers: [bastion]}
      - {name: b, servers: [web-1, web-2], cutover: false, grouping: consistency_group}
    """
    a, b, rest = site.acme(spec).waves
    assert [wave.cutover for wave in (a, b, rest)] == [True, False, True]
    assert [wave.rollback is not None for wave in (a, b, rest)] == [False, True, False]
    assert [wave.window is not None for wave in (a, b, rest)] == [True, True, True]
    assert [wave.grouping for wave in (a, b, rest)] == ["volume", "consistency_group", "volume"]


def test_the_sites_grouping_holds_where_the_manifest_says_nothing(site: SiteDirectory) -> None:
    site.acme()
    text = (site.path / "millpond.yaml").read_text().replace("spec: {}", "spec: {replication: {grouping: volume}}")
    site.write("millpond.yaml", text)
    assert load_all(site.path)[1][0].waves[0].grouping == "volume"


def test_the_place_of_values_is_known(site: SiteDirectory) -> None:
    desired = site.acme("volumes:\n  - {name: spare, volume_type: gold}")
    assert {id: place.removeprefix(str(site.path)) for id, place in desired.places.items()} == {"vol-spare": "/tenants/acme.yaml:8:7"}


def test_the_volumes_of_an_excluded_server_stay_too(site: SiteDirectory) -> None:
    desired = site.acme(
        "exclude:\n  - {server: bastion, reason: rebuilt}\n  - {volume: spare, reason: empty}\n  - {network: spare, reason: unused}"
    )
    assert desired.excluded == {"srv-bastion", "vol-bastion", "vol-spare", "n2"}
    moving = {id for wave in desired.waves for id in wave.servers + wave.volumes}
    assert not moving & desired.excluded


def test_an_exclusion_may_name_an_id(site: SiteDirectory) -> None:
    assert "srv-twin-a" in site.acme("exclude: [{server: srv-twin-a, reason: rebuilt}]").excluded


def test_addresses_are_unique_within_their_kind(site: SiteDirectory) -> None:
    desired = site.acme()
    assert str(desired.address("server", "srv-bastion")) == "acme/server/bastion"
    assert str(desired.address("volume", "vol-spare")) == "acme/volume/spare"
    assert str(desired.address("network", "n2")) == "acme/network/spare"
    assert str(desired.address("floating_ip", "fip1")) == "acme/floating_ip/192.0.2.10"
    for found in (INVENTORY.servers, INVENTORY.volumes):
        assert len({desired.names[each.id] for each in found}) == len(found)


WRONG = {
    "unknown server": (
        "waves: [{name: a, servers: [web-3]}]",
        ["7:31: there is no server `web-3` (the inventory of acme has no such server) -> did you mean `web-2`?"],
    ),
    "unknown server without likeness": (
        "waves: [{name: a, servers: [zzz]}]",
        [
            "7:31: there is no server `zzz` (the inventory of acme has no such server) -> correct it, or run `millpond discover acme` if it is new"
        ],
    ),
    "unknown id": (
        "waves: [{name: a, servers: [{source_id: srv-bastio}]}]",
        ["7:31: there is no server `srv-bastio` (the inventory of acme has no such server) -> did you mean `srv-bastion`?"],
    ),
    "id in place of a name": (
        "waves: [{name: a, servers: [srv-bastion]}]",
        ["7:31: `srv-bastion` is an id, not a name -> write {source_id: srv-bastion}"],
    ),
    "ambiguous name": (
        "waves: [{name: a, servers: [twin]}]",
        ["7:31: the name `twin` is ambiguous: 2 servers have it -> write {source_id: ID} with one of `srv-twin-a` or `srv-twin-b`"],
    ),
    "ambiguous exclusion": (
        "exclude: [{server: twin, reason: x}]",
        ["7:22: the name `twin` is ambiguous: 2 servers have it -> write the id instead: `srv-twin-a` or `srv-twin-b`"],
    ),
    "server in two waves": (
        "waves:\n  - {name: a, servers: [bastion]}\n  - {name: b, servers: [bastion, {source_id: srv-twin-a}]}",
        ["9:27: server `bastion` is in wave `a` already (the first is at tenants/acme.yaml:8:27) -> delete one of them"],
    ),
    "server twice in a wave": (
        "waves:\n  - {name: a, servers: [bastion, bastion]}",
        ["8:36: server `bastion` is named twice in wave `a` (the first is at tenants/acme.yaml:8:27) -> delete one of them"],
    ),
    "volume in two waves": (
        "waves:\n  - {name: a, volumes: [spare]}\n  - {name: b, volumes: [spare]}",
        ["9:27: volume `spare` is in wave `a` already (the first is at tenants/acme.yaml:8:27) -> delete one of them"],
    ),
    "attached volume in another wave": (
        "waves:\n  - {name: web, servers: [web-1, web-2]}\n  - {name: b, volumes: [shared]}",
        [
            "9:27: volume `shared` moves with `web-1` and `web-2`, not with this wave (it is attached to them)"
            " -> delete it here; only detached volumes need to be named"
        ],
    ),
    "shared volume across waves": (
        "waves:\n  - {name: a, servers: [web-1]}\n  - {name: b, servers: [web-2]}",
        [
            "8:27: `web-1` and `web-2` share volume `shared`, but are in different waves (a volume cannot be on both sides) -> put them into one wave"
        ],
    ),
    "shared volume with rest": (
        "waves:\n  - {name: a, servers: [web-2]}",
        [
            "8:27: `web-1` and `web-2` share volume `shared`, but are in different waves (a volume cannot be on both sides) -> put them into one wave"
        ],
    ),
    "repeated wave": (
        "waves:\n  - {name: a, servers: [bastion]}\n  - {name: a, volumes: [spare]}",
        ["9:14: two waves are named `a` (the first is at tenants/acme.yaml:8:14) -> give one of them another name"],
    ),
    "rest in the middle": (
        "waves:\n  - {name: rest, servers: [bastion]}\n  - {name: b, volumes: [spare]}",
        [
            "8:14: wave `rest` must be the last wave (servers and detached volumes that no wave names join it, so it comes last)"
            " -> move it to the end, or give it another name"
        ],
    ),
    "empty wave": ("waves: [{name: a}]", ["7:18: wave `a` names no server and no volume -> name some, or delete the wave"]),
    "excluded and in a wave": (
        "waves: [{name: a, servers: [bastion]}]\nexclude: [{server: bastion, reason: x}]",
        ["7:31: server `bastion` is in a wave, but excluded -> delete it here, or delete its exclusion"],
    ),
    "excluded twice": (
        "exclude: [{server: bastion, reason: x}, {server: srv-bastion, reason: y}]",
        ["7:52: server `srv-bastion` is excluded twice (the first is at tenants/acme.yaml:7:22) -> delete one of the entries"],
    ),
    "unknown exclusion": (
        "exclude: [{volume: sparse, reason: x}]",
        ["7:22: there is no volume `sparse` (the inventory of acme has no such volume) -> did you mean `spare`?"],
    ),
    "excluded server that shares a volume": (
        "exclude: [{server: web-1, reason: x}]",
        [
            "7:22: server `web-1` stays behind, but shares a volume with `web-2` (a volume cannot be on both sides)"
            " -> exclude all of them, or none"
        ],
    ),
    "excluded root disk": (
        "exclude: [{volume: vol-bastion, reason: x}]",
        ["7:22: volume `vol-bastion` stays behind, but server `bastion` boots from it -> exclude the server instead"],
    ),
    "excluded network in use": (
        "exclude: [{network: lan, reason: x}]",
        [
            "7:23: network `lan` stays behind, but is used by `bastion`"
            " -> exclude the servers too; a network that the target has already belongs in `maps.networks` of the site"
        ],
    ),
    "values of an excluded server": (
        "servers: [{name: bastion, flavor: m2}]\nexclude: [{server: bastion, reason: x}]",
        ["7:13: server `bastion` has values here, but is excluded -> delete this entry, or delete the exclusion"],
    ),
    "two entries of values": (
        "volumes: [{name: spare, volume_type: a}, {source_id: vol-spare, volume_type: b}]",
        ["7:44: volume `spare` has two entries -> put all values into one"],
    ),
    "unknown server with values": (
        "servers: [{name: bastin, flavor: m2}]",
        ["7:13: there is no server `bastin` (the inventory of acme has no such server) -> did you mean `bastion`?"],
    ),
    "window that closes first": (
        "waves: [{name: a, servers: [bastion], window: {opens: 2026-12-02T00:00:00+01:00, closes: 2026-12-01T22:30:00Z}}]",
        ["7:92: the window closes before it opens (it opens 2026-12-02T00:00:00+01:00)"],
    ),
    "rollback of a wave that is cut over": (
        "waves:\n  - name: a\n    servers: [bastion]\n    cutover: true\n    rollback: {cut: c1, target_writes: discard}",
        [
            "11:7: wave `a` has a rollback block, but its cutover is true (the flag asks for a rollback, the block only says how:"
            " with cutover true it does nothing, and the next cut has another id)"
            " -> set `cutover: false` to roll back cut c1, or delete the block"
        ],
    ),
    "rollback of a tenant that is cut over": (
        "cutover: true\nrollback: {cut: c1, target_writes: discard}",
        [
            "8:3: there is a rollback block, but every wave's cutover is true (the flag asks for a rollback, the block only says how:"
            " with cutover true it does nothing, and the next cut has another id)"
            " -> set `cutover: false` to roll back cut c1, or delete the block"
        ],
    ),
    "decommission before the cutover": (
        "decommission: true\nsoak: 7d\nwaves: [{name: a, servers: [bastion], cutover: true}]",
        [
            "7:17: `decommission` is true, but cutover is false for wave `rest` (only what runs on the target can be deleted on the source)"
            " -> cut over first, or exclude what stays behind"
        ],
    ),
    "decommission without soak": (
        "decommission: true\ncutover: true",
        [
            "7:17: `decommission` is true, but there is no `soak`"
            " (it says how long the target must have run before anything is deleted on the source) -> add for example `soak: 7d`"
        ],
    ),
    "unknown quota": ("quotas: {core: 60}", ["7:12: there is no quota `core` -> did you mean `cores`?"]),
}


@pytest.mark.parametrize(("spec", "expected"), WRONG.values(), ids=WRONG.keys())
def test_what_does_not_fit_the_inventory_is_told(site: SiteDirectory, spec: str, expected: list[str]) -> None:
    assert lines(site.problems(lambda: site.acme(spec))) == [f"tenants/acme.yaml:{line}" for line in expected]


def test_all_that_does_not_fit_is_told_at_once(site: SiteDirectory) -> None:
    spec = (
        "waves: [{name: a, servers: [zzz, bastion]}, {name: a, servers: [bastion]}]\nquotas: {core: 1}\nexclude: [{network: x, reason: y}]"
    )
    assert len(site.problems(lambda: site.acme(spec))) == 5


def test_quotas_of_volume_types_and_of_the_source_are_known(site: SiteDirectory) -> None:
    desired = site.acme("quotas: {gigabytes_gold: 100, special: 2, floatingip: 5}")
    assert desired.manifest.quotas == {"gigabytes_gold": 100, "special": 2, "floatingip": 5}


def test_a_data_disk_may_stay_behind(site: SiteDirectory) -> None:
    inventory = replace(
        INVENTORY, servers=(server("s", "one", "root", "data"),), volumes=(volume("root", "", "s"), volume("data", "", "s")), ports=()
    )
    assert members(site.acme("exclude: [{volume: data, reason: scratch}]", inventory)) == {"rest": (("s",), ("root",))}


@pytest.mark.parametrize(
    ("project", "line"),
    [
        (Project("p1", "other", "default", "Default"), "5:50: the source is project `acme`, but the inventory is of `other`"),
        (
            Project("p1", "acme", "d2", "Partners"),
            "5:32: the source is in domain `Default`, but the inventory is of a project in `Partners`",
        ),
    ],
)
def test_an_inventory_of_another_project_is_refused(site: SiteDirectory, project: Project, line: str) -> None:
    problems = lines(site.problems(lambda: site.acme("", replace(INVENTORY, project=project))))
    assert problems == [f"tenants/acme.yaml:{line} -> correct the source, or run `millpond discover acme`"]


def test_a_port_of_a_router_does_not_hold_a_network(site: SiteDirectory) -> None:
    port = Port("port2", "", "n2", "fa:16:3e:00:00:02", device_id="router-1", device_owner="network:router_interface")
    desired = site.acme("exclude: [{network: spare, reason: unused}]", replace(INVENTORY, ports=(*INVENTORY.ports, port)))
    assert "n2" in desired.excluded
