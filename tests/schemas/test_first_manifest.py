from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from millpond.model.compute import ServerGroup
from millpond.model.inventory import Inventory
from millpond.model.manifest import ProjectRef
from millpond.model.network import AddressPair, FixedIP, Port, Route, Router, Subnet
from millpond.schemas import initial_manifest, load_all
from tests.schemas.writing import INVENTORY, SITE, SiteDirectory, server, volume

SOURCE, TARGET = ProjectRef("old", "Default", "acme"), ProjectRef("new", "customers", "acme")


def test_a_first_manifest_can_be_reviewed_in_a_minute() -> None:
    assert initial_manifest(INVENTORY, SOURCE, TARGET) == (
        "# yaml-language-server: $schema=../schemas/tenant.schema.json\n"
        "# Tenant acme: 5 servers, 6 volumes of 60 GiB, 2 networks.\n"
        "apiVersion: millpond.dev/v1\n"
        "kind: Tenant\n"
        "metadata: {name: acme}\n"
        "spec:\n"
        "  source: {cloud: old, domain: Default, project: acme}\n"
        "  target: {cloud: new, domain: customers, project: acme}\n"
        "  cutover: false        # true: the tenant moves; back to false: it returns\n"
        "  decommission: false   # true: the tenant is deleted on the source\n"
        "  # Waves cut over one after the other; what no wave names forms the last one, `rest`. Choose them before the first apply: the disks\n"
        "  # of a wave replicate as one. A small first wave shows that all is well:\n"
        "  # waves:\n"
        "  #   - name: pilot\n"
        "  #     servers: [bastion]\n"
        "  #     cutover: false\n"
    )


def port(server_id: str, address: str, **values: object) -> Port:
    return Port(f"p-{address}", "", "n1", "fa:16:3e:00:00:01", (FixedIP("sub", address),), device_id=server_id, **values)  # type: ignore[arg-type]


AWKWARD = replace(
    INVENTORY,
    ports=(port("s5", "10.0.0.5"), port("s6", "10.0.0.6")),
    servers=(
        server("s1", "image: booted", "v1", image_id="img"),
        server("s2", "shares", "v2", "v3"),
        server("s3", "shares too", "v3"),
        server("s4", 'said "no"\n- x', "v4"),
        server("s5", "no", "v5"),
        server("s6", "free", "v6"),
    ),
    volumes=(
        volume("v1", "", "s1"),
        volume("v2", "", "s2", encrypted=True),
        volume("v3", "data", "s2", "s3", multiattach=True),
        volume("v4", "", "s4", encrypted=True),
        volume("v5", "", "s5"),
        volume("v6", "", "s6"),
        volume("v7", "", encrypted=True),
    ),
)


def test_what_cannot_be_moved_yet_is_excluded_with_its_reason() -> None:
    _, _, exclusions = initial_manifest(AWKWARD, SOURCE, TARGET).partition("  exclude:\n")
    assert exclusions == (
        '    - {server: "image: booted", reason: "boots from an image, not from a volume: not supported yet"}\n'
        '    - {server: shares, reason: "has an encrypted volume: not supported yet"}\n'
        "    - {server: shares too, reason: shares a volume with a server that stays behind}\n"
        '    - {server: "said \\"no\\"\\n- x", reason: "has an encrypted volume: not supported yet"}\n'
        '    - {volume: v7, reason: "is encrypted: not supported yet"}\n'
    )


def test_the_suggested_pilot_runs() -> None:
    def running(*ids: str) -> Inventory:
        return replace(AWKWARD, servers=tuple(replace(each, status="ACTIVE" if each.id in ids else "SHUTOFF") for each in AWKWARD.servers))

    assert suggested(running("s5", "s6")) == "[free]"
    assert suggested(running("s5")) == '["no"]'
    assert not suggested(running("s1", "s2"))


def suggested(inventory: Inventory) -> str:
    return initial_manifest(inventory, SOURCE, TARGET).partition("servers: ")[2].partition("\n")[0]


SUBNET = Subnet("sub", "", "n1", "10.0.0.0/24", gateway_ip="10.0.0.1")
ROUTE = Route("10.8.0.0/16", "10.0.0.6")


@pytest.mark.parametrize(
    "leaning",
    [
        {"subnets": (replace(SUBNET, host_routes=(ROUTE,)),)},
        {"subnets": (replace(SUBNET, gateway_ip="10.0.0.6"),)},
        {"routers": (Router("r", "", routes=(ROUTE,)),)},
        {
            "routers": (Router("r", "", routes=(Route("10.8.0.0/16", "10.0.0.9"),)),),
            "ports": (AWKWARD.ports[0], port("s6", "10.0.0.6", allowed_address_pairs=(AddressPair("10.0.0.9"),))),
        },
        {"ports": (*AWKWARD.ports, port("s6", "10.1.0.6"))},
        {"ports": AWKWARD.ports[:1]},
        {"server_groups": (ServerGroup("g", "apart", "anti-affinity", members=("s6", "s1")),)},
    ],
    ids=["host route", "gateway", "router's route", "address taken over", "two ports", "no port", "server group"],
)
def test_the_suggested_pilot_is_a_server_that_nothing_else_leans_on(leaning: dict[str, Any]) -> None:
    inventory = replace(AWKWARD, subnets=(SUBNET,))
    assert suggested(inventory) == "[free]"
    assert suggested(replace(inventory, servers=AWKWARD.servers[::-1])) == "[free]"
    assert suggested(replace(inventory, **leaning)) == '["no"]'
    nothing_else = replace(inventory, **leaning, servers=tuple(each for each in AWKWARD.servers if each.id != "s5"))
    assert not suggested(nothing_else)
    assert not suggested(replace(nothing_else, servers=(*nothing_else.servers, replace(AWKWARD.servers[4], status="SHUTOFF"))))


def test_a_first_manifest_is_valid(site: SiteDirectory) -> None:
    for inventory in (INVENTORY, AWKWARD):
        text = initial_manifest(inventory, SOURCE, TARGET)
        site.write("millpond.yaml", SITE)
        site.write("tenants/acme.yaml", text)
        site.inventory(inventory)
        _, (desired,) = load_all(site.path)
        assert (desired.manifest.source, desired.manifest.cutover, desired.manifest.decommission) == (SOURCE, False, False)
    assert desired.excluded == {"s1", "s2", "s3", "s4", "v1", "v2", "v3", "v4", "v7"}


def test_the_suggested_pilot_is_valid_once_it_is_uncommented(site: SiteDirectory) -> None:
    text = (
        initial_manifest(AWKWARD, SOURCE, TARGET).replace("  # waves", "  waves").replace("  #   -", "    -").replace("  #     ", "      ")
    )
    site.write("millpond.yaml", SITE)
    site.write("tenants/acme.yaml", text)
    site.inventory(AWKWARD)
    _, (desired,) = load_all(site.path)
    assert [(wave.name, wave.servers) for wave in desired.waves] == [("pilot", ("s6",)), ("rest", ("s5",))]


def test_a_tenant_without_servers_has_a_manifest_too() -> None:
    empty = Inventory("acme", "now", INVENTORY.project)
    assert "0 servers, 0 volumes" in initial_manifest(empty, SOURCE, TARGET)
    assert "pilot" not in initial_manifest(empty, SOURCE, TARGET)
