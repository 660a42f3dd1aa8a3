from dataclasses import replace
from typing import Any

import pytest

from millpond.model.change import UNKNOWN
from millpond.model.compute import Flavor, Server
from millpond.model.desired import Desired
from millpond.model.manifest import Reference, ServerValues
from millpond.model.secret import Secret
from millpond.reconcilers.compute import server
from millpond.reconcilers.compute.server_identity import boot_name, sanitized
from tests.planning.situations import BACK, BOTH, PILOT, back, before, done, flags, leaving
from tests.planning.tenant import INVENTORY, SERVERS, SITE, desired, prepared, world
from tests.planning.world import World, flagged
from tests.reconcilers.kinds import body, change, codes, ids, planned


def rungs(documents: Desired, made: World) -> list[str]:
    return [id.replace("web-1#", "") for id in ids(planned(server, documents, made)) if "web-1#" in id]


def twin(made: World) -> str:
    return next(id for id in made.target.compute.rows if made.target.compute.shown(id).marker == "server-1")


def copy_of(made: World, **values: Any) -> World:
    made.target.compute.put(twin(made), **values)
    return made


def with_first(**values: Any) -> tuple[Desired, World]:
    """The tenant whose first server is another one, prepared."""
    tenant = replace(INVENTORY, servers=(replace(SERVERS[0], **values), SERVERS[1]))
    made = world(tenant)
    made.tick()
    made.advance(desired(tenant))
    return flags(pilot=True, base=desired(tenant)), made


def test_a_server_is_created_with_everything_that_is_carried() -> None:
    on, made = with_first(description="shop", tags=("b", "a"), has_user_data=True)
    found = planned(server, on, made)
    volumes, ports = (
        {v.name: id for id, v in made.target.block_storage.rows.items()},
        {p.name: id for id, p in made.target.network.rows["port"].items()},
    )
    assert body(found, "web-1#create") == {
        "name": "web-1",
        "description": "shop",
        "flavorRef": "f-small",
        "config_drive": False,
        "metadata": {"role": "web", "millpond:source": "server-1"},
        "tags": ["a", "b"],
        "networks": [{"port": ports["eth0-1"]}],
        "block_device_mapping_v2": [
            {
                "source_type": "volume",
                "destination_type": "volume",
                "uuid": volumes[name],
                "boot_index": index,
                "delete_on_termination": False,
            }
            for name, index in (("web-1-root", 0), ("web-1-data", -1))
        ],
        "key_name": "ops",
    }
    parameters = change(found, "web-1#create").parameters
    assert (parameters["user_data_of"], parameters["hints"]) == ("server-1", {})
    assert "cloud-config" not in str(found)


def test_user_data_reaches_the_target_and_shows_nowhere() -> None:
    on, made = with_first(has_user_data=True)
    made.advance(on)
    assert made.target.compute.secrets[twin(made)] == Secret("#cloud-config server-1")
    assert "cloud-config" not in str(made.plan(on)) + str(made.snapshot())
    dropped = replace(on, server_values={"server-1": ServerValues(Reference("web-1"), user_data="drop")})
    assert change(planned(server, dropped, with_first(has_user_data=True)[1]), "web-1#create").parameters["user_data_of"] == ""


def test_what_does_not_exist_yet_is_not_known_yet() -> None:
    found = body(planned(server, PILOT, world()), "web-1#create")
    assert found["networks"] == [{"port": UNKNOWN}]
    assert {disk["uuid"] for disk in found["block_device_mapping_v2"]} == {UNKNOWN}


def test_a_zone_is_asked_for_only_where_the_documents_say_so() -> None:
    on, made = with_first(availability_zone="az-1")
    assert "availability_zone" not in body(planned(server, on, made), "web-1#create")
    mapped = replace(on, site=replace(SITE, maps=replace(SITE.maps, availability_zones={"az-1": "az-9"})))
    assert body(planned(server, mapped, made), "web-1#create")["availability_zone"] == "az-9"
    stated = replace(mapped, server_values={"server-1": ServerValues(Reference("web-1"), availability_zone="az-2")})
    assert body(planned(server, stated, made), "web-1#create")["availability_zone"] == "az-2"


@pytest.mark.parametrize(
    ("name", "hostname"),
    [("web-1", "web-1"), ("Web 1", "web-1"), ("web_1", "web-1"), ("wéb.1-", "wéb.1"), ("x" * 70, "x" * 63)],
)
def test_the_hostname_that_nova_makes_of_a_name(name: str, hostname: str) -> None:
    assert sanitized(name) == hostname


def test_a_hostname_that_the_name_does_not_give_is_created_first_and_the_name_put_back() -> None:
    on, made = with_first(name="Shop front", hostname="web-old")
    assert boot_name(replace(SERVERS[0], name="Shop front", hostname="web-old")) == "web-old"
    first = next(step for step in made.plan(on).steps if step.action == "create" and step.kind == "server")
    assert first.id == "acme/server/Shop front#create"
    made.advance(on)
    shown = made.target.compute.rows[twin(made)]
    assert (shown.name, shown.hostname) == ("Shop front", "web-old")
    assert [step for step in made.sent if "server/Shop front" in step][-3:-1] == [
        "acme/server/Shop front#create",
        "acme/server/Shop front#rename",
    ]


@pytest.mark.parametrize(
    ("values", "wanted", "found"),
    [
        ({}, [], []),
        ({"status": "BUILD"}, ["… create"], []),
        ({"task_state": "spawning"}, ["… create"], []),
        ({"status": "SHUTOFF"}, ["power_on"], []),
        ({"task_state": "rebooting"}, ["… power"], []),
        ({"locked": True}, ["unlock"], []),
        ({"status": "PAUSED"}, [], ["not_running"]),
        ({"name": "other"}, [], ["not_identical"]),
        ({"flavor": Flavor("m1.large", 4, 8192, 0)}, [], ["not_identical"]),
        ({"tags": ("more",)}, [], ["not_identical"]),
        ({"config_drive": True}, [], ["not_identical"]),
        ({"status": "ERROR"}, [], ["error_after_launch"]),
        ({"status": "ERROR", "launched_at": ""}, ["… delete_failed"], []),
    ],
)
def test_a_copy_is_brought_to_what_the_server_was(values: dict[str, Any], wanted: list[str], found: list[str]) -> None:
    made = copy_of(before("source_server/web-1#verify"), **values)
    assert rungs(PILOT, made) == wanted
    assert [code for code, _ in codes(planned(server, PILOT, made))] == found
    held = [step for step in made.plan(PILOT).waiting if step.id == "acme/source_server/web-1#verify"]
    assert bool(held) is bool(found)


def test_ports_that_are_not_active_are_waited_for() -> None:
    made = before("source_server/web-1#verify")
    ports = made.target.network.rows["port"]
    id = next(id for id, port in ports.items() if port.device_id == twin(made))
    ports[id] = replace(ports[id], status="BUILD")
    assert rungs(PILOT, made) == ["… verify"]


def test_power_and_lock_are_given_back_before_the_handover() -> None:
    on, made = with_first(status="SHUTOFF", locked=True)
    assert rungs(on, made) == ["create", "power", "lock"]
    made.advance(on)
    shown = made.target.compute.rows[twin(made)]
    assert (shown.status, shown.locked, made.plan(on).steps) == ("SHUTOFF", True, ())
    kept_on = replace(on, server_values={"server-1": ServerValues(Reference("web-1"), power="active")})
    assert rungs(kept_on, with_first(status="SHUTOFF")[1]) == ["create", "lock"]


def failed(**values: str) -> World:
    made = prepared()
    made.target.compute.failing = {"web-1"}
    made.advance(PILOT, lambda plan: any(step.action == "count_failure" and not step.after for step in plan.steps))
    made.source.compute.raw["server-1"].update(values)
    return made


def test_a_boot_that_failed_before_launch_is_counted_deleted_and_tried_again() -> None:
    made = failed()
    assert rungs(PILOT, made) == ["… delete_failed"]
    made.advance(PILOT, lambda plan: any(step.action == "delete_failed" and not step.after for step in plan.changes))
    assert made.source.compute.raw["server-1"]["millpond.attempts"] == f"1:{twin(made)[:8]}:No valid host was found."
    assert rungs(PILOT, made) == ["delete_failed"]
    assert "No valid host" in change(planned(server, PILOT, made), "#delete_failed").reason


def test_after_three_boots_it_is_given_up() -> None:
    made = failed()
    made.advance(PILOT)
    assert made.sent.count("acme/server/web-1#create") == 3
    found = planned(server, PILOT, made)
    assert (rungs(PILOT, made), codes(found)) == ([], [("boot_failed", "pilot")])
    assert "No valid host was found." in found.findings[0].why
    assert made.target.compute.rows == {}


def double(made: World) -> World:
    compute, id = made.target.compute, twin(made)
    compute.rows["00000099-double"], compute.raw["00000099-double"] = replace(compute.rows[id], id="00000099-double"), dict(compute.raw[id])
    return made


def test_doubles_are_named_and_not_touched() -> None:
    made = double(before("source_server/web-1#verify"))
    found = planned(server, PILOT, made)
    assert (rungs(PILOT, made), codes(found)) == ([], [("ambiguous_server", "pilot")])
    assert "00000099-double" in found.findings[0].what


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        ({}, ["lock", "stop", "delete"]),
        ({"locked": True}, ["stop", "delete"]),
        ({"status": "SHUTOFF", "locked": True}, ["delete"]),
        ({"status": "BUILD"}, ["… arrive", "lock", "stop", "delete"]),
        ({"task_state": "powering-off", "locked": True}, ["… stop", "delete"]),
        ({"status": "ERROR", "launched_at": ""}, ["delete"]),
        ({"status": "ERROR"}, ["lock", "stop", "delete"]),
        ({"status": "SHUTOFF", "locked": True, "task_state": "deleting"}, ["… delete"]),
        ({"status": "ACTIVE", "locked": True, "task_state": "deleting"}, ["… stop", "… delete"]),
    ],
)
def test_the_way_back(values: dict[str, Any], wanted: list[str]) -> None:
    made = done()
    assert rungs(back(made, "discard"), copy_of(made, **values)) == wanted


def test_disks_are_kept_from_going_with_their_server() -> None:
    made = done()
    disks = made.target.compute.rows[twin(made)].volumes
    copy_of(made, status="SHUTOFF", locked=True, volumes=(replace(disks[0], delete_on_termination=True), *disks[1:]))
    assert rungs(back(made, "discard"), made) == [f"keep_volume:{disks[0].volume_id}", "delete"]


def test_nothing_that_ran_is_deleted_because_its_record_is_gone() -> None:
    made = done()
    made.source.compute.raw["server-1"] = {}
    found = planned(server, BACK, made)
    assert (rungs(BACK, made), codes(found)) == (["… stop"], [("unexpected_server", "pilot")])
    del made.source.compute.rows["server-1"]
    plan = made.plan(BACK)
    assert (plan.steps, [finding.code for finding in plan.blockers]) == ((), ["nothing_to_go_back_to"])


def test_a_server_that_is_not_on_the_source_is_not_created() -> None:
    made = prepared()
    del made.source.compute.rows["server-1"]
    assert rungs(PILOT, made) == []


def test_the_tenants_delete_on_termination_is_set_when_the_pair_goes() -> None:
    disks = tuple(replace(disk, delete_on_termination=disk.volume_id == "data-1") for disk in SERVERS[0].volumes)
    tenant = replace(INVENTORY, servers=(replace(SERVERS[0], volumes=disks), SERVERS[1]))
    base, made = flags(pilot=True, rest=True, base=desired(tenant)), world(tenant)
    made.tick()
    made.advance(base)
    assert not any(disk.delete_on_termination for s in made.target.compute.rows.values() for disk in s.volumes)
    assert rungs(base, made) == []
    kept = flagged(base, keep_pairs_until=made.now)
    steps = {step.id: step for step in made.plan(kept).steps}
    mark = next(id for id in steps if "#delete_on_termination:" in id)
    assert mark in steps["acme/replication_group/pilot-ssd#unpair"].after
    assert rungs(leaving(), done(BOTH)) == []


def test_handed_over_it_is_the_tenants() -> None:
    made = copy_of(done(), name="mine", status="SHUTOFF")
    assert (rungs(PILOT, made), codes(planned(server, PILOT, made))) == ([], [])


def known(**values: Any) -> Server:
    return replace(SERVERS[0], **values)


@pytest.mark.parametrize(("one", "shutoff"), [(known(), False), (known(status="SHUTOFF"), True)])
def test_power_is_what_the_inventory_says(one: Server, shutoff: bool) -> None:
    assert (one.power == "shutoff") is shutoff
