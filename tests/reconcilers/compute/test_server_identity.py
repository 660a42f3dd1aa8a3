from dataclasses import replace
from typing import Any

import pytest

from millpond.model.change import UNKNOWN
from millpond.model.compute import Flavor
from millpond.model.desired import Desired
from millpond.model.manifest import Reference, ServerValues
from millpond.model.secret import Secret
from millpond.reconcilers.compute.server_identity import boot_name, desired_power, keeps_user_data, shown, unequal, wanted, zone
from tests.planning.situations import PILOT, done
from tests.planning.tenant import INVENTORY, SERVERS, SITE, desired, prepared, world
from tests.planning.world import World

ONE = SERVERS[0]


def arrived(made: World) -> Any:
    return next(server for server in made.snapshot().target.servers if server.marker == ONE.id)


def stated(**values: str) -> Desired:
    return replace(desired(), server_values={ONE.id: ServerValues(Reference(ONE.name), **values)})


def test_a_copy_that_was_booted_is_equal_in_everything_that_is_carried() -> None:
    made = done()
    assert unequal(PILOT, made.snapshot(), ONE, arrived(made)) == ()
    assert set(wanted(PILOT, made.snapshot(), ONE)) >= {
        "name",
        "description",
        "flavor",
        "key_name",
        "config_drive",
        "user_data",
        "metadata",
        "tags",
        "server_group",
        "ports",
        "volumes",
        "hostname",
    }


@pytest.mark.parametrize(
    ("values", "path"),
    [
        ({"name": "other"}, "name"),
        ({"hostname": "other"}, "hostname"),
        ({"description": "other"}, "description"),
        ({"flavor": Flavor("m1.small", 2, 2048, 0)}, "flavor.vcpus"),
        ({"key_name": ""}, "key_name"),
        ({"config_drive": True}, "config_drive"),
        ({"has_user_data": True}, "user_data"),
        ({"metadata": {}}, "metadata.role"),
        ({"metadata": {"role": "web", "more": "x"}}, "metadata.more"),
        ({"tags": ("odd",)}, "tags"),
    ],
)
def test_each_attribute_is_compared(values: dict[str, Any], path: str) -> None:
    made = done()
    (found,) = unequal(PILOT, made.snapshot(), ONE, replace(arrived(made), **values))
    assert found.path == path


def test_the_order_of_ports_and_volumes_counts() -> None:
    made = done()
    live = arrived(made)
    turned = replace(live, volumes=tuple(reversed(live.volumes)))
    assert {found.path.partition("[")[0] for found in unequal(PILOT, made.snapshot(), ONE, turned)} == {"volumes"}
    fewer = replace(live, port_ids=())
    assert {found.path.partition("[")[0] for found in unequal(PILOT, made.snapshot(), ONE, fewer)} == {"ports"}


def test_user_data_is_compared_by_itself_and_shows_nowhere() -> None:
    tenant = replace(INVENTORY, servers=(replace(ONE, has_user_data=True), SERVERS[1]))
    made = done()
    live = replace(arrived(made), has_user_data=True, user_data=Secret("#cloud-config other"))
    snapshot = made.snapshot()
    source = replace(
        snapshot.source, servers=tuple(replace(s, has_user_data=True, user_data=Secret("#cloud")) for s in snapshot.source.servers)
    )
    documents = replace(PILOT, inventory=tenant)
    found = unequal(documents, replace(snapshot, source=source), tenant.servers[0], live)
    assert [change.path for change in found] == ["user_data"]
    assert "cloud" not in repr(found)


def test_what_does_not_exist_yet_is_not_known_yet() -> None:
    found = wanted(desired(), world().snapshot(), ONE)
    assert (found["ports"], found["volumes"]) == ([UNKNOWN], [UNKNOWN, UNKNOWN])
    assert UNKNOWN not in str(wanted(desired(), prepared().snapshot(), ONE))


def test_only_what_is_asked_for_is_shown() -> None:
    made = done()
    assert shown(made.snapshot(), arrived(made), {"name": "", "tags": []}) == {"name": "web-1", "tags": []}


def test_the_manifests_word_on_power_comes_first_then_the_records_then_what_was_found() -> None:
    assert desired_power(desired(), ONE) == "active"
    assert desired_power(desired(), replace(ONE, status="SHUTOFF")) == "shutoff"
    found = next(server for server in done().snapshot().source.servers if server.id == ONE.id)
    assert (found.status, desired_power(desired(), found)) == ("SHUTOFF", "active")
    assert desired_power(stated(power="shutoff"), found) == "shutoff"


def test_user_data_may_be_dropped() -> None:
    with_some = replace(ONE, has_user_data=True)
    assert keeps_user_data(desired(), with_some)
    assert not keeps_user_data(stated(user_data="drop"), with_some)
    assert not keeps_user_data(desired(), ONE)


def test_a_zone_is_the_manifests_or_the_maps() -> None:
    placed = replace(ONE, availability_zone="nova")
    assert zone(desired(), placed) == ""
    mapped = replace(SITE, maps=replace(SITE.maps, availability_zones={"nova": "az1"}))
    assert zone(replace(desired(), site=mapped), placed) == "az1"
    assert zone(replace(stated(availability_zone="az2"), site=mapped), placed) == "az2"


@pytest.mark.parametrize(
    ("name", "hostname", "sent"),
    [("web 1", "web-1", "web 1"), ("Web_1", "web-1", "Web_1"), ("shop", "web-1", "web-1"), ("shop", "", "shop")],
)
def test_the_name_to_boot_with_gives_the_hostname(name: str, hostname: str, sent: str) -> None:
    assert boot_name(replace(ONE, name=name, hostname=hostname)) == sent
