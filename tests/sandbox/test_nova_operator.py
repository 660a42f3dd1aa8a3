"""Flavors, key pairs, server groups, quotas and services, as the real clients see them."""

from pathlib import Path

import pytest
from openstack.connection import Connection
from openstack.exceptions import BadRequestException, ConflictException, ForbiddenException, NotFoundException

from tests.sandbox.client import openstack
from tests.sandbox.conftest import connect
from tests.sandbox.running import Sandbox, start_sandbox

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0mtPGmZ0H0xW1X9b3qJ6rj0bqzJj1rT0v0aaaaaaaa someone"


@pytest.fixture(scope="module")
def member(sandbox: Sandbox, target: Connection) -> Connection:
    """A member of a project of its own on the target."""
    project = target.identity.create_project(name="shop")
    user = target.identity.create_user(name="dora", password="dora-secret")
    target.identity.assign_project_role_to_user(project, user, target.identity.find_role("member"))
    return connect(sandbox, "target-admin", username="dora", password="dora-secret", project_name="shop")


def listed(cloud: Connection, path: str) -> set[str]:
    return {flavor["id"] for flavor in cloud.compute.get(path).json()["flavors"]}


def test_each_cloud_speaks_its_releases_microversions(source: Connection, target: Connection) -> None:
    assert source.compute.get_endpoint_data().max_microversion == (2, 60)
    assert target.compute.get_endpoint_data().max_microversion == (2, 95)
    assert source.compute.get("/servers", microversion="2.61").status_code == 406
    assert target.compute.get("/servers", microversion="2.95").status_code == 200


def test_wallaby_ends_before_the_host_name(tmp_path: Path) -> None:
    running = start_sandbox(tmp_path, scenario="small", target_release="wallaby")
    cloud = connect(running, "target-admin")
    assert cloud.compute.get_endpoint_data().max_microversion == (2, 88)
    body = {"server": {"name": "x", "flavorRef": "y", "networks": "none", "hostname": "z1"}}
    answer = cloud.compute.post("/servers", json=body, microversion="2.88")
    assert "'hostname' was unexpected" in answer.text
    assert running.stop() == 0


def test_a_route_nova_does_not_have(source: Connection) -> None:
    answer = source.compute.get("/os-cells")
    assert answer.status_code == 404
    assert answer.json()["itemNotFound"]["code"] == 404


def test_a_private_flavor_is_seen_by_whom_it_was_given_to(target: Connection, member: Connection) -> None:
    flavor = target.compute.create_flavor(name="private", ram=512, vcpus=1, disk=0, is_public=False, description="d")
    assert member.compute.find_flavor("private") is None
    with pytest.raises(NotFoundException):
        member.compute.get_flavor(flavor.id)
    target.compute.flavor_add_tenant_access(flavor, member.current_project_id)
    assert member.compute.get_flavor(flavor.id).description == "d"
    with pytest.raises(ConflictException):
        target.compute.flavor_add_tenant_access(flavor, member.current_project_id)
    assert flavor.id not in listed(target, "/flavors")
    assert flavor.id in listed(target, "/flavors?is_public=None")
    target.compute.flavor_remove_tenant_access(flavor, member.current_project_id)
    assert target.compute.get_flavor_access(flavor) == []


def test_names_and_ids_of_flavors_are_taken_once(target: Connection) -> None:
    target.compute.create_flavor(name="once", id="17", ram=512, vcpus=1, disk=1)
    with pytest.raises(ConflictException, match="name once already exists"):
        target.compute.create_flavor(name="once", ram=512, vcpus=1, disk=1)
    with pytest.raises(ConflictException, match="ID 17 already exists"):
        target.compute.create_flavor(name="twice", id="17", ram=512, vcpus=1, disk=1)


def test_tenants_make_no_flavors(member: Connection) -> None:
    with pytest.raises(ForbiddenException, match="Policy doesn't allow"):
        member.compute.create_flavor(name="mine", ram=512, vcpus=1, disk=1)


def test_extra_specs_are_inside_the_flavor_from_2_61_and_checked_from_2_86(target: Connection) -> None:
    flavor = target.compute.create_flavor(name="specs", ram=512, vcpus=1, disk=1)
    target.compute.create_flavor_extra_specs(flavor, {"hw:cpu_policy": "shared", "quota:vif_outbound_peak": "10"})
    path = f"/flavors/{flavor.id}"
    assert target.compute.get(path, microversion="2.61").json()["flavor"]["extra_specs"]["hw:cpu_policy"] == "shared"
    assert "extra_specs" not in target.compute.get(path, microversion="2.60").json()["flavor"]
    unknown = {"extra_specs": {"hw:cpu_polcy": "shared"}}
    assert target.compute.post(f"{path}/os-extra_specs", json=unknown, microversion="2.86").status_code == 400
    assert target.compute.post(f"{path}/os-extra_specs", json=unknown, microversion="2.85").status_code == 200
    target.compute.delete_flavor_extra_specs_property(flavor, "hw:cpu_polcy")
    assert set(target.compute.fetch_flavor_extra_specs(flavor).extra_specs) == {"hw:cpu_policy", "quota:vif_outbound_peak"}


def test_a_flavor_refuses_keys_it_does_not_know(target: Connection) -> None:
    body = {"flavor": {"name": "odd", "ram": 1, "vcpus": 1, "disk": 0, "colour": "red"}}
    answer = target.compute.post("/flavors", json=body)
    assert answer.status_code == 400
    assert "'colour' was unexpected" in answer.json()["badRequest"]["message"]


def test_key_pairs_belong_to_users(target: Connection, member: Connection) -> None:
    dora = target.identity.find_user("dora").id
    mine = member.compute.create_keypair(name="work", public_key=KEY)
    with pytest.raises(ConflictException):
        member.compute.create_keypair(name="work", public_key=KEY)
    assert target.compute.create_keypair(name="work", public_key=KEY).fingerprint == mine.fingerprint
    assert [one.name for one in target.compute.keypairs(user_id=dora)] == ["work"]
    with pytest.raises(ForbiddenException):
        list(member.compute.keypairs(user_id=target.current_user_id))
    target.compute.delete_keypair("work", user_id=dora)
    assert list(member.compute.keypairs()) == []


def test_what_is_no_key(target: Connection) -> None:
    with pytest.raises(BadRequestException, match="failed to generate fingerprint"):
        target.compute.create_keypair(name="odd", public_key="nonsense")
    with pytest.raises(BadRequestException):
        target.compute.create_keypair(name="a/b", public_key=KEY)


def test_the_form_of_a_server_group_changes_with_2_64(target: Connection) -> None:
    group = target.compute.create_server_group(name="web", policy="anti-affinity", rules={"max_server_per_host": 2})
    old = target.compute.get(f"/os-server-groups/{group.id}", microversion="2.60").json()["server_group"]
    new = target.compute.get(f"/os-server-groups/{group.id}", microversion="2.64").json()["server_group"]
    assert (old["policies"], old["metadata"]) == (["anti-affinity"], {})
    assert (new["policy"], new["rules"]) == ("anti-affinity", {"max_server_per_host": 2})
    body = {"server_group": {"name": "soft", "policies": ["soft-affinity"]}}
    assert target.compute.post("/os-server-groups", json=body, microversion="2.14").status_code == 400
    assert target.compute.post("/os-server-groups", json=body, microversion="2.15").status_code == 200
    with pytest.raises(BadRequestException):
        target.compute.create_server_group(name="odd", policy="affinity", rules={"max_server_per_host": 2})


def test_server_groups_have_a_quota_and_a_project(target: Connection, member: Connection) -> None:
    target.compute.update_quota_set(member.current_project_id, server_groups=1)
    group = member.compute.create_server_group(name="only", policy="affinity")
    with pytest.raises(ForbiddenException, match="too many server groups"):
        member.compute.create_server_group(name="second", policy="affinity")
    assert group.id not in {one.id for one in target.compute.server_groups()}
    assert group.id in {one.id for one in target.compute.server_groups(all_projects=True)}


def test_quotas(source: Connection) -> None:
    project = source.identity.create_project(name="quotas").id
    assert source.compute.get_quota_set(project).cores == 20
    source.compute.update_quota_set(project, cores=60, instances=-1)
    quotas = source.compute.get(f"/os-quota-sets/{project}/detail", microversion="2.60").json()["quota_set"]
    assert (quotas["cores"], quotas["instances"]["limit"]) == ({"limit": 60, "in_use": 0, "reserved": 0}, -1)
    assert "floating_ips" not in quotas
    assert "injected_files" not in quotas
    assert "floating_ips" in source.compute.get(f"/os-quota-sets/{project}", microversion="2.35").json()["quota_set"]
    unknown = source.compute.put(f"/os-quota-sets/{project}", json={"quota_set": {"networks": 5}}, microversion="2.60")
    assert unknown.status_code == 400
    assert source.compute.get_quota_set_defaults(project).cores == 20
    source.compute.revert_quota_set(project)
    assert source.compute.get_quota_set(project).cores == 20


def test_class_quotas_are_the_defaults(source: Connection) -> None:
    project = source.identity.create_project(name="classes").id
    source.compute.put("/os-quota-class-sets/default", json={"quota_class_set": {"ram": 1}}, microversion="2.50")
    assert source.compute.get_quota_set(project).ram == 1
    source.compute.put("/os-quota-class-sets/default", json={"quota_class_set": {"ram": 51200}}, microversion="2.50")


def test_a_hypervisor_shows_less_from_2_88(target: Connection) -> None:
    old = target.compute.get("/os-hypervisors/detail", microversion="2.87").json()["hypervisors"]
    new = target.compute.get("/os-hypervisors/detail", microversion="2.88").json()["hypervisors"]
    assert len(old) == len(new) == 3
    assert "vcpus" in old[0]
    assert "vcpus" not in new[0]


def test_statistics_add_up_what_hypervisors_show_and_are_gone_from_2_88(source: Connection, target: Connection) -> None:
    each = source.compute.get("/os-hypervisors/detail", microversion="2.53").json()["hypervisors"]
    total = source.compute.get("/os-hypervisors/statistics", microversion="2.53").json()["hypervisor_statistics"]
    assert total["count"] == len(each)
    assert {name: value for name, value in total.items() if name != "count"} == {
        name: sum(row[name] for row in each) for name in total if name != "count"
    }
    assert target.compute.get("/os-hypervisors/statistics", microversion="2.88").status_code == 404


def test_hosts_are_listed_until_2_43(source: Connection) -> None:
    hosts = source.compute.get("/os-hosts", microversion="2.1").json()["hosts"]
    assert {(host["service"], host["zone"]) for host in hosts} == {
        ("compute", "nova"),
        ("conductor", "internal"),
        ("scheduler", "internal"),
    }
    assert source.compute.get("/os-hosts", microversion="2.43").status_code == 404


def test_the_operators_pages_are_closed_to_tenants(member: Connection) -> None:
    closed = (
        "/os-hypervisors",
        "/os-hypervisors/statistics",
        "/os-services",
        "/os-availability-zone/detail",
        "/os-quota-class-sets/default",
    )
    for path in (*closed, "/os-hosts", "/os-simple-tenant-usage"):
        assert member.compute.get(path).status_code == 403
    assert member.compute.get("/os-availability-zone").json()["availabilityZoneInfo"][0]["zoneName"] == "nova"


@pytest.mark.parametrize(
    "command",
    [
        ["flavor", "list", "--all"],
        ["keypair", "list"],
        ["server", "group", "list"],
        ["hypervisor", "list", "--long"],
        ["compute", "service", "list"],
        ["availability", "zone", "list", "--compute"],
        ["limits", "show", "--absolute"],
        ["server", "list", "--all-projects"],
        ["usage", "list"],
        ["host", "list"],
        ["hypervisor", "stats", "show"],
    ],
)
def test_the_openstack_client(sandbox: Sandbox, command: list[str]) -> None:
    done = openstack(sandbox, "target-admin", *command)
    assert done.code == 0, done.err
