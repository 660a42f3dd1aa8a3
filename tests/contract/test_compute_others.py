"""Nova: flavors, key pairs, server groups, quotas."""

from typing import Any

import pytest

from tests.contract.coverage import covers
from tests.contract.ground import Ground

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0mtPGmZ0H0xW1X9b3qJ6rj0bqzJj1rT0v0aaaaaaaa someone"


@covers("compute.create_flavor", "compute.flavors", "compute.set_flavor_extra_specs", "compute.add_flavor_access", "compute.flavor_access")
def test_a_private_flavor_is_made_and_given(ground: Ground) -> None:
    compute, name = ground.cloud.compute, ground.name("flavor")
    body = {
        "name": name,
        "vcpus": 2,
        "ram": 512,
        "disk": 3,
        "OS-FLV-EXT-DATA:ephemeral": 1,
        "swap": 64,
        "os-flavor-access:is_public": False,
    }
    id = compute.create_flavor({**body, "description": "ours"})
    compute.set_flavor_extra_specs(id, {"hw:cpu_policy": "shared", "quota:disk_total_iops_sec": "10"})
    compute.set_flavor_extra_specs(id, {"hw:cpu_policy": "dedicated"})
    [found] = [one for one in compute.flavors() if one.id == id]
    assert (found.name, found.vcpus, found.ram, found.disk, found.ephemeral, found.swap, found.is_public) == (name, 2, 512, 3, 1, 64, False)
    assert found.extra_specs == {"hw:cpu_policy": "dedicated", "quota:disk_total_iops_sec": "10"}
    assert found.description == "ours"
    assert compute.flavor_access(id) == ()
    assert ground.member.get("compute", f"/flavors/{id}").status == 404
    compute.add_flavor_access(id, ground.project_id)
    assert compute.flavor_access(id) == (ground.project_id,)
    assert ground.member.get("compute", f"/flavors/{id}").status == 200
    again = ground.admin.call("POST", "compute", f"/flavors/{id}/action", {"addTenantAccess": {"tenant": ground.project_id}})
    assert (again.status, set(again.body)) == (409, {"conflictingRequest"})


def test_a_flavors_name_is_taken_once(ground: Ground) -> None:
    body = {"flavor": {"name": ground.name("flavor"), "vcpus": 1, "ram": 64, "disk": 0}}
    assert ground.admin.call("POST", "compute", "/flavors", body).status == 200
    refused = ground.admin.call("POST", "compute", "/flavors", body)
    assert (refused.status, refused.message) == (409, f"Flavor with name {body['flavor']['name']} already exists.")
    assert ground.member.call("POST", "compute", "/flavors", body).status == 403


def test_public_flavors_have_no_access_list(ground: Ground) -> None:
    refused = ground.admin.get("compute", f"/flavors/{ground.flavor}/os-flavor-access")
    assert (refused.status, refused.message) == (404, "Access list not available for public flavors.")
    assert ground.admin.get("compute", "/flavors/no-such-flavor/os-extra_specs").status == 404
    refused = ground.admin.call("POST", "compute", f"/flavors/{ground.flavor}/action", {"addTenantAccess": {"tenant": ground.project_id}})
    assert refused.status == 409


def test_private_flavors_are_listed_only_when_asked_for(ground: Ground) -> None:
    body = {"flavor": {"name": ground.name("flavor"), "vcpus": 1, "ram": 64, "disk": 0, "os-flavor-access:is_public": False}}
    id = ground.admin.done("POST", "compute", "/flavors", body)["flavor"]["id"]

    def listed(**query: str) -> bool:
        return id in [row["id"] for row in ground.admin.done("GET", "compute", "/flavors/detail", **query)["flavors"]]

    assert (listed(is_public="None"), listed(is_public="False"), listed(is_public="True"), listed()) == (True, True, False, False)


def test_flavors_are_paged(ground: Ground) -> None:
    assert ground.flavor
    whole = [row["id"] for row in ground.admin.done("GET", "compute", "/flavors/detail", is_public="None")["flavors"]]
    first = ground.admin.done("GET", "compute", "/flavors/detail", is_public="None", limit="1")
    assert [link["rel"] for link in first["flavors_links"]] == ["next"]
    rest = ground.admin.done("GET", "compute", "/flavors/detail", is_public="None", marker=first["flavors"][0]["id"], limit="1000")
    assert [first["flavors"][0]["id"], *(row["id"] for row in rest["flavors"])] == whole
    assert "flavors_links" not in rest.body


def test_unknown_extra_specs_are_refused_from_2_86_on(ground: Ground) -> None:
    if ground.compute_version < (2, 86):
        pytest.skip("this Nova takes any extra spec")
    body = {"extra_specs": {"hw:no_such_thing": "1"}}
    assert ground.admin.call("POST", "compute", f"/flavors/{ground.flavor}/os-extra_specs", body, version="2.86").status == 400


@covers("compute.create_key_pair", "compute.key_pairs", "compute.delete_key_pair")
def test_an_administrator_keeps_keys_for_users(ground: Ground) -> None:
    compute, user = ground.cloud.compute, ground.member.user_id
    names = sorted(ground.name("key") for _ in range(2))
    for name in names:
        compute.create_key_pair({"name": name, "public_key": KEY, "type": "ssh", "user_id": user})
    found = [one for one in compute.key_pairs({user: "member"}) if one.name in names]
    assert [one.name for one in found] == names
    assert {(one.public_key, one.type, one.user_id, one.user) for one in found} == {(KEY, "ssh", user, "member")}
    assert len(found[0].fingerprint.split(":")) == 16
    again = ground.admin.call("POST", "compute", "/os-keypairs", {"keypair": {"name": names[0], "public_key": KEY, "user_id": user}})
    assert (again.status, set(again.body)) == (409, {"conflictingRequest"})
    first = ground.admin.done("GET", "compute", "/os-keypairs", user_id=user, limit="1")
    assert [link["rel"] for link in first["keypairs_links"]] == ["next"]
    for name in names:
        compute.delete_key_pair(name, user)
    gone = ground.admin.call("DELETE", "compute", f"/os-keypairs/{names[0]}", user_id=user)
    assert (gone.status, set(gone.body)) == (404, {"itemNotFound"})


def test_keys_of_others_are_not_the_tenants(ground: Ground) -> None:
    assert ground.member.get("compute", "/os-keypairs", user_id=ground.admin.user_id).status == 403
    body = {"keypair": {"name": ground.name("key"), "public_key": KEY, "user_id": ground.admin.user_id}}
    assert ground.member.call("POST", "compute", "/os-keypairs", body).status == 403
    body = {"keypair": {"name": ground.name("key"), "public_key": "no key"}}
    assert ground.member.call("POST", "compute", "/os-keypairs", body).status == 400


def policy_of(ground: Ground, policy: str) -> dict[str, Any]:
    """As the service's newest microversion has it."""
    return {"policies": [policy]} if ground.compute_version < (2, 64) else {"policy": policy}


@covers("compute.create_server_group", "compute.server_groups", "compute.delete_server_group", "compute.create_server")
def test_a_server_group_holds_its_servers(ground: Ground) -> None:
    compute, name = ground.cloud.compute, ground.name("group")
    id = compute.create_server_group(ground.project_id, {"name": name, **policy_of(ground, "soft-anti-affinity")})
    body = ground.server_body([ground.volume(bootable=True)], [])
    server = compute.create_server(ground.project_id, body, {"group": id}, None)
    ground.server_is(server, "ACTIVE")
    [found] = [one for one in compute.server_groups(ground.project_id) if one.id == id]
    assert (found.name, found.policy, found.members) == (name, "soft-anti-affinity", (server,))
    assert id not in [row["id"] for row in ground.stranger.done("GET", "compute", "/os-server-groups")["server_groups"]]
    compute.delete_server_group(id)
    compute.delete_server_group(id)  # again: no harm
    gone = ground.admin.call("DELETE", "compute", f"/os-server-groups/{id}")
    assert (gone.status, gone.message) == (404, f"Instance group {id} could not be found.")
    assert ground.show_server(server)["status"] == "ACTIVE"


def test_server_groups_are_paged_by_offset_and_end_with_nothing(ground: Ground) -> None:
    made = [
        ground.owner.done(
            "POST", "compute", "/os-server-groups", {"server_group": {"name": ground.name("group"), "policies": ["affinity"]}}
        )
        for _ in range(3)
    ]
    ids = {one["server_group"]["id"] for one in made}
    seen: list[str] = []
    while True:
        answer = ground.admin.done("GET", "compute", "/os-server-groups", all_projects="True", limit="2", offset=str(len(seen)))
        page = [row["id"] for row in answer["server_groups"]]
        assert len(page) <= 2
        if not page:
            break
        seen += page
    assert ids <= set(seen)
    assert len(seen) == len(set(seen))


def test_a_policy_that_nova_does_not_know(ground: Ground) -> None:
    body = {"server_group": {"name": ground.name("group"), "policies": ["friendly"]}}
    assert ground.owner.call("POST", "compute", "/os-server-groups", body).status == 400


def test_the_quota_of_server_groups(ground: Ground) -> None:
    path = f"/os-quota-sets/{ground.other_project_id}"
    ground.admin.done("PUT", "compute", path, {"quota_set": {"server_groups": 0}})
    body = {"server_group": {"name": ground.name("group"), "policies": ["affinity"]}}
    refused = ground.stranger.call("POST", "compute", "/os-server-groups", body)
    ground.admin.done("PUT", "compute", path, {"quota_set": {"server_groups": 50}})
    assert (refused.status, set(refused.body)) == (403, {"forbidden"})


@covers("compute.quota", "compute.update_quota", "compute.create_server")
def test_quotas_say_limit_and_use(ground: Ground) -> None:
    compute = ground.cloud.compute
    before = compute.quota(ground.project_id)
    body = ground.server_body([ground.volume(bootable=True)], [])
    ground.server_is(compute.create_server(ground.project_id, body, {}, None), "ACTIVE")
    after = compute.quota(ground.project_id)
    assert {name: after.used[name] - before.used[name] for name in ("instances", "cores", "ram")} == {"instances": 1, "cores": 1, "ram": 64}
    assert {"instances", "cores", "ram", "metadata_items", "key_pairs", "server_groups", "server_group_members"} <= set(after.limits)
    compute.update_quota(ground.project_id, {"instances": 99})
    assert compute.quota(ground.project_id).limits["instances"] == 99


def test_a_limit_below_use_needs_force(ground: Ground) -> None:
    ground.small_server()
    path = f"/os-quota-sets/{ground.project_id}"
    used = ground.admin.done("GET", "compute", f"{path}/detail")["quota_set"]["instances"]["in_use"]
    refused = ground.admin.call("PUT", "compute", path, {"quota_set": {"instances": used - 1}})
    assert (refused.status, set(refused.body)) == (400, {"badRequest"})
    assert ground.admin.call("PUT", "compute", path, {"quota_set": {"no_such_thing": 1}}).status == 400
    assert ground.member.call("PUT", "compute", path, {"quota_set": {"instances": 1000}}).status == 403
    assert ground.stranger.get("compute", f"{path}/detail").status == 403
