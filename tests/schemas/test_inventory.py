from __future__ import annotations

import typing
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from types import UnionType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from millpond.model.cut_record import CutRecord
from millpond.model.identity import Project, Quota
from millpond.model.inventory import Inventory
from millpond.model.network import Port
from millpond.model.secret import Secret
from millpond.schemas import carried, dump_inventory, load_inventory
from tests.schemas.writing import INVENTORY, SiteDirectory, lines, server, volume

SIMPLE: Mapping[object, st.SearchStrategy[Any]] = {
    str: st.text(max_size=12)
    | st.sampled_from(["no", "~", "0x1f", "12:30:45", "2026-12-01", "<<", "- a", "a: b", "\t", "#", "1.0", "|", "&a"]),
    int: st.integers(-(10**17), 10**17),
    bool: st.booleans(),
    Secret: st.builds(Secret, st.text()),
}


@cache
def values(hint: Any) -> st.SearchStrategy[Any]:
    if hint in SIMPLE:
        return SIMPLE[hint]
    parts = typing.get_args(hint)
    if isinstance(hint, UnionType):
        return st.one_of(*(st.none() if part is type(None) else values(part) for part in parts))
    if typing.get_origin(hint) is tuple:
        return st.lists(values(parts[0]), max_size=2).map(tuple)
    if parts:
        return st.dictionaries(values(str), values(parts[1]), max_size=2)
    assert isinstance(hint, type)
    assert is_dataclass(hint)
    hints = typing.get_type_hints(hint)
    given = {each.name: st.text(min_size=1, max_size=8) if each.name == "id" else values(hints[each.name]) for each in fields(hint)}
    return st.builds(hint, **given)


inventories = values(Inventory).map(lambda inventory: replace(inventory, tenant="acme"))


@given(inventories)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_what_is_written_is_what_is_read(inventory: Inventory) -> None:
    with TemporaryDirectory() as directory:
        path = Path(directory) / "acme.inventory.yaml"
        text = dump_inventory(inventory)
        path.write_text(text, encoding="utf-8")
        found = load_inventory(path)
    assert found == carried(inventory)
    assert dump_inventory(found) == text


def test_an_inventory_is_written_for_people(site: SiteDirectory) -> None:
    small = Inventory("acme", "2026-11-01T08:00:00Z", Project("p1", "Küche", "default"), volumes=(volume("v1", "", "s1"),))
    assert dump_inventory(small) == (
        "# yaml-language-server: $schema=../schemas/inventory.schema.json\n"
        "# Written by `millpond discover acme` alone: what is changed here by hand is lost with the next run.\n"
        "# What shall differ on the target belongs in acme.yaml.\n"
        "apiVersion: millpond.dev/v1\n"
        "kind: Inventory\n"
        "metadata:\n"
        "  name: acme\n"
        "  discovered_at: '2026-11-01T08:00:00Z'\n"
        "spec:\n"
        "  project:\n"
        "    id: p1\n"
        "    name: Küche\n"
        "    domain_id: default\n"
        "  volumes:\n"
        "  - id: v1\n"
        "    name: ''\n"
        "    size: 10\n"
        "    volume_type: gold\n"
        "    attachments:\n"
        "    - server_id: s1\n"
    )


def test_the_order_of_a_listing_does_not_matter() -> None:
    turned = replace(INVENTORY, servers=INVENTORY.servers[::-1], volumes=INVENTORY.volumes[::-1], networks=INVENTORY.networks[::-1])
    assert dump_inventory(turned) == dump_inventory(INVENTORY)


def test_the_order_of_nics_and_disks_is_kept() -> None:
    one = server("s", "one", "root", "a", port_ids=("p2", "p1"))
    found = carried(replace(INVENTORY, servers=(one,))).servers[0]
    assert (found.port_ids, [each.volume_id for each in found.volumes]) == (("p2", "p1"), ["root", "a"])


def test_what_changes_by_itself_is_left_out() -> None:
    busy = replace(
        INVENTORY.servers[0],
        task_state="stopping",
        power_state=1,
        vm_state="stopped",
        launched_at="x",
        fault="y",
        marker="z",
        record=CutRecord(cut="c"),
    )
    port = Port("port1", "", "n1", "fa:16:3e:00:00:01", host_id="compute-7", status="DOWN", tags=("millpond:source=x", "b", "a"))
    quota = Quota("compute", {"cores": 20}, {"cores": 7})
    text = dump_inventory(replace(INVENTORY, servers=(busy,), ports=(port,), quotas=(quota,)))
    calm = replace(port, host_id="", status="", tags=("a", "b"))
    assert text == dump_inventory(replace(INVENTORY, servers=(INVENTORY.servers[0],), ports=(calm,), quotas=(replace(quota, used={}),)))


def test_user_data_is_never_written() -> None:
    secret = replace(INVENTORY.servers[0], has_user_data=True, user_data=Secret("canary-4711"))
    text = dump_inventory(replace(INVENTORY, servers=(secret,)))
    assert "canary" not in text
    assert "has_user_data: true" in text


def test_two_inventories_are_equal_when_nothing_carried_differs() -> None:
    assert carried(replace(INVENTORY, servers=tuple(replace(each, launched_at="now") for each in INVENTORY.servers))) == carried(INVENTORY)
    assert carried(replace(INVENTORY, servers=INVENTORY.servers[1:])) != carried(INVENTORY)


WRONG = {
    "no project": ("spec: {}\n", "4:1: `spec` has no `project` (The project.) -> add `project:`"),
    "an unknown field": (
        "spec:\n  project: {id: p, name: a, domain_id: d}\n  volumes: [{id: v, name: a, size: 1, volume_type: g, sizes: 2}]\n",
        "6:55: unknown key `sizes` in `spec.volumes[0]` -> did you mean `size`?",
    ),
    "a wrong type": (
        "spec:\n  project: {id: p, name: a, domain_id: d}\n  servers: [{id: s, name: True, flavor: {name: f, vcpus: 1, ram: 1, disk: 0}}]\n",
        "6:27: `spec.servers[0].name` must be a text, but is `True`, which YAML reads as true -> put it between quotes: 'True'",
    ),
}


@pytest.mark.parametrize(("spec", "line"), WRONG.values(), ids=WRONG.keys())
def test_an_inventory_changed_by_hand_is_checked(site: SiteDirectory, spec: str, line: str) -> None:
    head = "apiVersion: millpond.dev/v1\nkind: Inventory\nmetadata: {name: acme, discovered_at: now}\n"
    path = site.write("tenants/acme.inventory.yaml", head + spec)
    assert lines(site.problems(lambda: load_inventory(path))) == [f"tenants/acme.inventory.yaml:{line}"]
