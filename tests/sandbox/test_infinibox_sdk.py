"""The arrays as the vendor's SDK meets them over HTTP."""

import base64
from collections.abc import Iterator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import logbook
import pytest
import requests
from capacity import GiB
from infi.dtypes.iqn import IQN  # type: ignore[import-untyped]
from infinisdk import InfiniBox
from infinisdk.core.exceptions import APICommandFailed, ObjectNotFound, RelatedSystemNotFound

from tests.sandbox.running import Sandbox, start_sandbox

USER = ("admin", "123456")


@pytest.fixture(scope="module", autouse=True)
def quiet() -> Iterator[None]:
    with logbook.NullHandler().applicationbound():
        yield


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """Time hardly moves by itself, so that tests can say what a job has done."""
    running = start_sandbox(tmp_path_factory.mktemp("sandbox"), scenario="none", speed=0.001)
    yield running
    assert running.stop() == 0


def array(sandbox: Sandbox, name: str, auth: tuple[str, str] = USER) -> Any:
    return InfiniBox((sandbox.host(name), sandbox.port), auth=auth)


@pytest.fixture(scope="module")
def world(sandbox: Sandbox) -> Any:
    """Both arrays, related; a link and a pool on each."""
    a, b = array(sandbox, "ibox-a"), array(sandbox, "ibox-b")
    for one, other in ((a, b), (b, a)):
        one.login()
        one.register_related_system(other)
    pools = [box.pools.create(name="pool", physical_capacity=2000 * GiB, virtual_capacity=2000 * GiB) for box in (a, b)]
    link = a.links.create(name="link", local_replication_network_space=replication_space(a), remote_host=replication_address(b))
    return SimpleNamespace(a=a, b=b, pool_a=pools[0], pool_b=pools[1], link=link, sandbox=sandbox)


def replication_space(box: Any) -> Any:
    return box.network_spaces.get(service="RMR_SERVICE")


def replication_address(box: Any) -> str:
    return str(replication_space(box).get_ips()[0].ip_address)


@pytest.fixture(autouse=True)
def same_world(request: pytest.FixtureRequest, sandbox: Sandbox) -> Iterator[None]:
    if "world" in request.fixturenames:
        request.getfixturevalue("world")
    taken = sandbox.control.snapshot()
    yield
    sandbox.control.restore(taken)


def volume(world: Any, name: str) -> Any:
    return world.a.volumes.create(name=name, pool=world.pool_a, size=10 * GiB, provisioning="THIN")


def replicate(world: Any, name: str) -> Any:
    return world.a.replicas.replicate_volume(volume(world, name), link=world.link, remote_pool=world.pool_b, remote_entity_names=[name])


def fails(code: str, call: Any) -> APICommandFailed:
    with pytest.raises(APICommandFailed) as caught:
        call()
    assert caught.value.error_code == code
    return caught.value


def raw(sandbox: Sandbox, method: str, path: str, **more: Any) -> requests.Response:
    return requests.request(method, f"{sandbox.urls['ibox-a']}/api/rest/{path}", timeout=10, **{"auth": USER, **more})


def test_identity_comes_with_the_login(world: Any) -> None:
    assert world.a.get_name() == "ibox-a"
    assert world.a.get_serial() != world.b.get_serial()
    assert world.a.is_active()
    assert not world.a.is_read_only()
    localtime = world.a.api.get("system?fields=localtime").get_result()["localtime"]["utc_time"]
    assert abs(localtime - world.sandbox.control.now() * 1000) < 2000


def test_a_wrong_password_is_401(sandbox: Sandbox) -> None:
    with pytest.raises(APICommandFailed) as caught:
        array(sandbox, "ibox-a", ("admin", "wrong")).login()
    assert caught.value.status_code == 401


def test_an_expired_session_is_renewed(world: Any) -> None:
    for cookie in world.a.api._session.cookies:
        cookie.value = "stale"
    world.sandbox.control.clear_requests()
    assert world.a.pools.get(name="pool").id == world.pool_a.id
    assert [(one["path"].partition("?")[0], one["status"]) for one in world.sandbox.control.requests()] == [
        ("/api/rest/pools", 401),
        ("/api/rest/users/login", 200),
        ("/api/rest/system", 200),
        ("/api/rest/pools", 200),
    ]


def test_without_credentials_nothing_but_features(sandbox: Sandbox) -> None:
    assert raw(sandbox, "GET", "_features", auth=None).status_code == 200
    assert raw(sandbox, "GET", "system", auth=None).status_code == 401


def test_ids_collide_across_arrays(world: Any) -> None:
    assert world.pool_a.id == world.pool_b.id


def test_volumes_are_found_by_name_and_id_and_missed_in_two_ways(world: Any) -> None:
    one = volume(world, "disk")
    assert world.a.volumes.get(name="disk").id == one.id
    assert world.a.volumes.get_by_id(one.id).get_size() == 10 * GiB
    assert one.get_cons_group() is None
    assert not one.is_replicated()
    with pytest.raises(ObjectNotFound):
        world.a.volumes.get_by_id(4242)
    assert fails("VOLUME_NOT_FOUND", lambda: world.a.volumes.get_by_id_lazy(4242).get_name()).status_code == 404
    assert fails("VOLUME_NAME_CONFLICT", lambda: volume(world, "disk")).status_code == 409


def test_more_than_one_page(world: Any) -> None:
    for n in range(55):
        volume(world, f"many-{n:02}")
    found = world.a.volumes.find(world.a.volumes.fields.name.like("many-")).sort(-world.a.volumes.fields.name)
    assert [one.get_name() for one in found.to_list()] == [f"many-{n:02}" for n in reversed(range(55))]
    page = raw(world.sandbox, "GET", "volumes?name=like:many&page=2&page_size=50").json()
    assert (len(page["result"]), page["metadata"]["number_of_objects"], page["metadata"]["pages_total"]) == (5, 55, 2)
    assert raw(world.sandbox, "GET", "volumes?page_size=1001").status_code == 400


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("size=gt:1073741824", ["big"]),
        ("name=in:(big,small)", ["big", "small"]),
        ("name=notin:(big)", ["small"]),
        ("name=big", ["big"]),
        ("size=between:(1,1073741824)", ["small"]),
        ("write_protected=eq:true", ["small"]),
        ("cg_id=is:null", ["big", "small"]),
        ("cg_id=ne:5", ["big", "small"]),
    ],
)
def test_filters(world: Any, query: str, found: list[str]) -> None:
    for name, size, protected in (("big", 2 * GiB, False), ("small", 1 * GiB, True)):
        world.a.volumes.create(name=name, pool=world.pool_a, size=size, provisioning="THIN", write_protected=protected)
    rows = raw(world.sandbox, "GET", f"volumes?{query}&fields=name,unheard_of&sort=name").json()["result"]
    assert rows == [{"name": name} for name in found]


def test_a_filter_by_an_unknown_field_is_refused(world: Any) -> None:
    volume(world, "disk")
    assert raw(world.sandbox, "GET", "volumes?colour=eq:red").json()["error"]["code"] == "UNSUPPORTED_FILTER"


def test_metadata(world: Any) -> None:
    one = volume(world, "disk")
    one.set_metadata_from_dict({"cinder_id": "x", "n": 1})
    one.set_metadata("n", "2")
    assert one.get_all_metadata() == {"cinder_id": "x", "n": "2"}
    [hit] = world.a.get_all_metadata(key="eq:cinder_id")
    assert (hit["object"], hit["object_type"]) == (one, "volume")
    one.unset_metadata("n")
    assert one.get_metadata_value("n", "gone") == "gone"
    one.clear_metadata()
    assert one.get_all_metadata() == {}


def test_mapping_and_unmapping(world: Any) -> None:
    host, one = world.a.hosts.create(name="host"), volume(world, "disk")
    host.add_port(IQN("iqn.1994-05.com.redhat:one"))
    unit = host.map_volume(one)
    assert [lun.get_host() for lun in one.get_logical_units()] == [host]
    fails("MAPPING_ALREADY_EXISTS", lambda: host.map_volume(one))
    fails("PORT_ALREADY_BELONGS_TO_HOST", lambda: world.a.hosts.create(name="other").add_port(IQN("iqn.1994-05.com.redhat:one")))
    fails("VOLUME_IS_MAPPED", one.delete)
    unit.unmap()
    assert len(one.get_logical_units()) == 0
    host.delete()


def test_what_cannot_be_undone_wants_approval(world: Any) -> None:
    one = volume(world, "disk")
    with world.a.api.get_unapproved_context():
        refused = fails("APPROVAL_REQUIRED", one.delete)
        assert refused.status_code == 403
        assert refused.reasons
        one.create_snapshot(name="snap")
        fails("APPROVAL_REQUIRED_VOLUME_HAS_CHILDREN", one.delete)
    one.delete()
    assert world.a.volumes.find(name="disk").to_list() == world.a.volumes.find(name="snap").to_list() == []


def test_a_read_only_context_sends_nothing_that_changes(world: Any) -> None:
    world.sandbox.control.clear_requests()
    with world.a.api.read_only_context():
        world.a.volumes.find().to_list()
        with pytest.raises(Exception, match="method is disabled"):
            volume(world, "disk")
    assert world.sandbox.control.mutating() == []


def test_what_touches_the_peer_wants_an_account_there(world: Any) -> None:
    alone = array(world.sandbox, "ibox-a")
    alone.login()
    one, link = volume(world, "disk"), alone.links.get_by_id(world.link.id)
    assert alone.api.get(f"remote/{link.id}/api/rest/pools?name=eq:pool").get_result()[0]["name"] == "pool"
    with pytest.raises(RelatedSystemNotFound):
        alone.replicas.replicate_volume(alone.volumes.get_by_id(one.id), link=link, remote_pool=world.pool_b)
    body = {
        "link_id": link.id,
        "entity_type": "VOLUME",
        "entity_pairs": [{"remote_base_action": "CREATE", "local_entity_id": one.id}],
        "remote_pool_id": world.pool_b.id,
    }
    wrong = {"X-Remote-Authorization": "Basic " + base64.b64encode(b"admin:nope").decode()}
    assert (
        raw(world.sandbox, "POST", "replicas?approved=true", json=body, headers=wrong).json()["error"]["code"]
        == "REMOTE_PERMISSION_REQUIRED"
    )
    named = {"X-Remote-Authorization": "Basic ibox-b=" + base64.b64encode(b"admin:123456").decode()}
    assert raw(world.sandbox, "POST", "replicas?approved=true", json=body, headers=named).status_code == 201


def test_a_remote_refusal_says_so(world: Any) -> None:
    refused = fails("POOL_NOT_FOUND", lambda: world.a.api.get(f"remote/{world.link.id}/api/rest/pools/4242"))
    assert type(refused).__name__ == "RemoteAPICommandFailed"


def test_the_life_of_a_replica(world: Any) -> None:
    replica = replicate(world, "disk")
    twin = replica.get_remote_replica()
    target = world.b.volumes.get(name="disk")
    assert replica.is_initial_replication()
    assert replica.get_remote_entity() == target
    world.sandbox.control.advance(5)
    assert replica.is_idle()
    assert (twin.get_role(), twin.get_field("state")) == ("TARGET", None)
    assert target.get_fields(["write_protected", "rmr_target"], from_cache=False) == {"write_protected": True, "rmr_target": True}
    before = replica.get_field("restore_point", from_cache=False)
    assert replica.sync()["state"] == "REPLICATING"
    world.sandbox.control.advance(3)
    assert replica.get_field("restore_point", from_cache=False) > before
    replica.suspend()
    assert replica.is_user_suspended()
    replica.change_role()
    twin.change_role()
    assert replica.is_target()
    assert twin.is_source()
    assert not target.is_write_protected(from_cache=False)
    fails("REPLICA_IS_NOT_SYNC", twin.switch_role)
    twin.resume()
    world.sandbox.control.advance(3)
    assert twin.is_idle()
    assert twin.delete(retain_staging_area=False) == (None, None)
    assert fails("REPLICA_NOT_FOUND", lambda: replica.get_field("state", from_cache=False)).status_code == 404
    assert world.sandbox.control.violations() == []


def test_a_deletion_that_does_not_say_otherwise_leaves_snapshots(world: Any) -> None:
    replica = replicate(world, "disk")
    world.sandbox.control.advance(5)
    here, there = replica.delete()
    assert here.get_parent().get_name() == there.get_parent().get_name() == "disk"


def test_a_consistency_group_and_its_snapshot_group(world: Any) -> None:
    group = world.a.cons_groups.create(name="group", pool=world.pool_a)
    for name in ("one", "two"):
        group.add_member(volume(world, name))
    replica = world.a.replicas.replicate_cons_group(group, link=world.link, remote_pool=world.pool_b, remote_entity_names=["one", "two"])
    assert replica.get_local_entity() == group
    assert [one.get_name() for one in replica.get_remote_data_entities()] == ["one", "two"]
    assert {one.get_name() for one in group.create_snapgroup(name="sg", suffix="-sg").get_members()} == {"one-sg", "two-sg"}
    fails("ENTITY_IS_REPLICATED", group.delete)
    replica.delete(retain_staging_area=False)
    group.remove_member(world.a.volumes.get(name="one"))
    assert [one.get_name() for one in group.get_members()] == ["two"]


def test_onto_existing_volumes_of_a_group(world: Any) -> None:
    groups = []
    for box, pool in ((world.a, world.pool_a), (world.b, world.pool_b)):
        group = box.cons_groups.create(name="group", pool=pool)
        group.add_member(box.volumes.create(name="disk", pool=pool, size=10 * GiB, provisioning="THIN"))
        groups.append(group)
    here, there = (group.get_members().to_list()[0] for group in groups)
    replica = world.a.replicas.replicate_entity(groups[0], link=world.link, remote_entity=groups[1], member_mappings={here: there})
    assert replica.get_entity_pairs()[0]["remote_entity_id"] == there.id


def test_many_replicas_are_polled_in_one_request(world: Any) -> None:
    ids = [replicate(world, f"disk-{n}").id for n in range(3)]
    world.sandbox.control.advance(5)
    world.sandbox.control.clear_requests()
    query = world.a.replicas.find(world.a.replicas.fields.id.in_(ids)).only_fields(["state", "job_state", "progress"])
    rows = [one.get_fields(["state", "job_state", "progress"], from_cache=True) for one in query.page_size(1000).page(1)]
    assert rows == [{"state": "ACTIVE", "job_state": "IDLE", "progress": 100}] * 3
    assert len(world.sandbox.control.requests()) == 1


def test_intervals_change_and_are_checked(world: Any) -> None:
    replica = replicate(world, "disk")
    replica.update_field("sync_interval", timedelta(seconds=30))
    assert replica.get_field("sync_interval", from_cache=False).total_seconds() == 30
    assert raw(world.sandbox, "PUT", f"replicas/{replica.id}", json={"sync_interval": 1000}).json()["error"]["code"] == "INVALID_INTERVAL"


def test_the_short_form_of_the_kubernetes_driver(world: Any) -> None:
    body = {
        "entity_type": "VOLUME",
        "local_entity_id": volume(world, "disk").id,
        "replication_type": "ASYNC",
        "base_action": "NEW",
        "link_id": world.link.id,
        "remote_pool_id": world.pool_b.id,
        "sync_interval": 240000,
        "rpo_value": 300000,
        "remote_entity_name": "copy",
    }
    created = world.a.api.post("replicas", data=body).get_result()
    assert created["remote_entity_name"] == "copy"
    assert created["local_entity_id"] == body["local_entity_id"]


def test_faults_have_the_arrays_own_shape(world: Any) -> None:
    world.sandbox.control.fault(service="infinibox", cloud="ibox-a", method="GET", action={"status": 503})
    answer = raw(world.sandbox, "GET", "pools").json()
    assert answer["result"] is None
    assert answer["error"]["message"]
    assert answer["metadata"]["ready"] is True


def test_unknown_paths_and_fields_are_refused(world: Any) -> None:
    assert raw(world.sandbox, "GET", "filesystems").json()["error"]["code"] == "UNKNOWN_PATH"
    body = {"name": "x", "pool_id": world.pool_a.id, "size": 1 << 30, "colour": "red"}
    assert raw(world.sandbox, "POST", "volumes?approved=true", json=body).json()["error"]["code"] == "UNKNOWN_FIELD"


def test_events_and_a_mark_of_our_own(world: Any) -> None:
    world.a.events.create_custom_event(description="cut 1 of acme")
    newest = world.a.events.find().sort(-world.a.events.fields.id).page_size(1).page(1).to_list()[0]
    assert newest.get_field("description") == "cut 1 of acme"


def test_the_link_is_down_when_told(world: Any) -> None:
    assert world.link.is_up(from_cache=False)
    world.sandbox.control.fault(world="link_down")
    assert world.link.is_down(from_cache=False)
    assert fails("REMOTE_SYSTEM_UNREACHABLE", lambda: replicate(world, "disk")).status_code == 503


def test_nodes_and_ports_for_fibre_channel(world: Any) -> None:
    assert len(world.a.components.nodes.to_list()) == 3
    assert len(world.a.components.fc_ports.get_online_target_addresses()) == 6
