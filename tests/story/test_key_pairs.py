"""Whose key a server was booted with does not matter: it arrives with it."""

from __future__ import annotations

import openstack
from openstack.connection import Connection

from tests.sandbox.conftest import connect
from tests.story.identical import Comparison
from tests.story.stage import SOURCE, Stage
from tests.story.worlds import boot_own_server

PUBLIC_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA {name}@desk"


def _person(stage: Stage, admin: Connection, name: str, group: str = "") -> str:
    """The id of a new user who works in the tenant, by a group or by a role of their own, and has booted a server with their own key."""
    person = admin.identity.create_user(name=name, password="secret", domain_id="default")
    project, role = admin.identity.find_project(SOURCE["project"]), admin.identity.find_role("_member_")
    if group:
        operators = admin.identity.create_group(name=group, domain_id="default")
        admin.identity.assign_project_role_to_group(project, operators, role)
        admin.identity.add_user_to_group(person, operators)
    else:
        admin.identity.assign_project_role_to_user(project, person, role)
    login = connect(stage.sandbox, "source-acme", username=name, password="secret")
    login.compute.create_keypair(name=f"{name}-key", public_key=PUBLIC_KEY.format(name=name))
    boot_own_server(login, f"{name}s", f"{name}-key")
    return str(person.id)


def test_a_group_s_member_and_those_who_have_left_give_their_servers_their_keys(untouched: Stage) -> None:
    stage = untouched
    admin = openstack.connect(cloud="source-admin")
    _person(stage, admin, "dave", group="operators")
    erin = _person(stage, admin, "erin")
    frank = _person(stage, admin, "frank")
    openstack.connect(cloud="target-admin").identity.create_group(name="operators", domain_id="default")
    admin.identity.unassign_project_role_from_user(
        admin.identity.find_project(SOURCE["project"]), erin, admin.identity.find_role("_member_")
    )
    admin.identity.delete_user(frank)
    stage.discover()
    stage.manifest["cutover"] = True
    result = stage.settle(60)
    assert not result.remaining, (result.plan.tenants[0].steps, result.plan.tenants[0].blockers)
    booted = {row["name"]: (row["key_name"], row["key_data"].split()[-1]) for row in stage.rows("target/nova/servers")}
    assert {name: booted[name] for name in ("daves", "erins", "franks")} == {
        f"{name}s": (f"{name}-key", f"{name}@desk") for name in ("dave", "erin", "frank")
    }
    assert list(Comparison(stage).different()) == []
    assert {row["name"] for row in stage.rows("target/nova/keypairs")} == {"alice"}
    assert "key_pair_gone" not in {finding.code for finding in result.plan.tenants[0].findings}
