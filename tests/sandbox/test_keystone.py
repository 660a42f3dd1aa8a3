"""Keystone as the real openstacksdk and the real `openstack` client see it."""

import uuid

import pytest
from keystoneauth1.exceptions import Unauthorized
from openstack.connection import Connection
from openstack.exceptions import BadRequestException, ConflictException, ForbiddenException, NotFoundException, SDKException

from tests.sandbox.client import openstack
from tests.sandbox.conftest import connect
from tests.sandbox.running import Sandbox


def member(sandbox: Sandbox, admin: Connection, project: str, user: str, password: str = "secret") -> Connection:
    """A connection of a new member of a new project on the target."""
    made = admin.identity.create_project(name=project)
    person = admin.identity.create_user(name=user, password=password)
    role = admin.identity.find_role("member", ignore_missing=False)
    admin.identity.assign_project_role_to_user(made, person, role)
    return connect(sandbox, "target-admin", username=user, password=password, project_name=project)


def test_projects_have_extra_properties_and_an_id_of_keystones_own(source: Connection) -> None:
    chosen = uuid.uuid4().hex
    answer = source.identity.post("/projects", json={"project": {"id": chosen, "name": "p1", "cost_centre": 42}})
    project = answer.json()["project"]
    assert uuid.UUID(project["id"]).hex == project["id"] != chosen
    assert (project["cost_centre"], project["domain_id"], project["enabled"], project["tags"]) == (42, "default", True, [])
    changed = source.identity.patch(f"/projects/{project['id']}", json={"project": {"millpond": "x", "enabled": False}})
    assert changed.json()["project"]["millpond"] == "x"
    assert source.identity.get_project(project["id"]).is_enabled is False


def test_a_name_is_taken_once_per_domain(source: Connection) -> None:
    domain = source.identity.create_domain(name="customers")
    source.identity.create_project(name="twice")
    with pytest.raises(ConflictException):
        source.identity.create_project(name="twice")
    other = source.identity.create_project(name="twice", domain_id=domain.id)
    assert [p.id for p in source.identity.projects(name="twice", domain_id=domain.id)] == [other.id]
    with pytest.raises(ForbiddenException):
        source.identity.delete_domain(domain)
    source.identity.update_domain(domain, is_enabled=False)
    source.identity.delete_domain(domain)
    with pytest.raises(NotFoundException):
        source.identity.get_project(other.id)


@pytest.mark.parametrize("name", ["", " ", "x" * 65, None])
def test_a_project_needs_a_proper_name(source: Connection, name: str | None) -> None:
    with pytest.raises(BadRequestException):
        source.identity.create_project(name=name)


def test_what_cannot_change_of_a_project(source: Connection) -> None:
    project = source.identity.create_project(name="rooted")
    answer = source.identity.patch(f"/projects/{project.id}", json={"project": {"domain_id": "elsewhere"}})
    assert answer.status_code == 400


def test_tags_filter_projects(target: Connection) -> None:
    both = target.identity.create_project(name="both", tags=["red", "blue"])
    red = target.identity.create_project(name="red", tags=["red"])

    def found(**query: str) -> set[str]:
        return {project.name for project in target.identity.projects(**query)} & {"both", "red"}

    assert found(tags="red,blue") == {"both"}
    assert found(any_tags="red,blue") == {"both", "red"}
    assert found(not_tags="red,blue") == {"red"}
    assert found(not_any_tags="blue") == {"red"}
    assert target.identity.put(f"/projects/{red.id}/tags/blue").status_code == 201
    assert target.identity.get(f"/projects/{red.id}/tags/blue").status_code == 204
    assert target.identity.delete(f"/projects/{red.id}/tags/red").status_code == 204
    assert target.identity.get(f"/projects/{red.id}/tags/red").status_code == 404
    assert target.identity.put(f"/projects/{both.id}/tags", json={"tags": ["green"]}).json()["tags"] == ["green"]
    assert target.identity.put(f"/projects/{both.id}/tags", json={"tags": ["a,b"]}).status_code == 400
    assert target.identity.put(f"/projects/{both.id}/tags", json={"tags": ["a", "a"]}).status_code == 400
    assert target.identity.delete(f"/projects/{both.id}/tags").status_code == 204
    assert target.identity.get(f"/projects/{both.id}/tags").json()["tags"] == []


def test_a_user_without_a_password_exists_but_cannot_log_in(sandbox: Sandbox, target: Connection) -> None:
    user = target.identity.create_user(name="quiet", email="quiet@example.org", description="no password yet")
    shown = target.identity.get(f"/users/{user.id}").json()["user"]
    assert shown["email"] == "quiet@example.org"
    assert "password" not in shown
    with pytest.raises(SDKException, match="HTTP 401"):
        connect(sandbox, "target-admin", username="quiet", password="guess").authorize()


def test_passwords_are_never_shown_and_can_be_changed(sandbox: Sandbox, target: Connection) -> None:
    eve = member(sandbox, target, "eves", "eve", "first-secret")
    id = eve.current_user_id
    assert "first-secret" not in target.identity.get(f"/users/{id}").text
    wrong = eve.identity.post(f"/users/{id}/password", json={"user": {"original_password": "x", "password": "second"}})
    assert wrong.status_code == 401
    right = eve.identity.post(f"/users/{id}/password", json={"user": {"original_password": "first-secret", "password": "second"}})
    assert right.status_code == 204
    with pytest.raises(SDKException, match="HTTP 401"):
        connect(sandbox, "target-admin", username="eve", password="first-secret", project_name="eves").authorize()
    connect(sandbox, "target-admin", username="eve", password="second", project_name="eves").authorize()


def test_a_member_sees_itself_and_nothing_else(sandbox: Sandbox, target: Connection) -> None:
    alice = member(sandbox, target, "alices", "alice")
    assert alice.identity.get_project(alice.current_project_id).name == "alices"
    assert alice.identity.get_user(alice.current_user_id).name == "alice"
    assert [p.name for p in alice.identity.user_projects(alice.current_user_id)] == ["alices"]
    other = target.identity.find_project("admin", ignore_missing=False)
    for path in ("/projects", "/users", "/role_assignments", "/groups", f"/projects/{other.id}", "/credentials"):
        assert alice.identity.get(path).status_code == 403, path
    assert alice.identity.post("/projects", json={"project": {"name": "mine"}}).status_code == 403
    assert alice.identity.put(f"/projects/{alice.current_project_id}/tags/x").status_code == 403


def test_roles_by_group_and_by_inheritance(sandbox: Sandbox, target: Connection) -> None:
    identity = target.identity
    domain = identity.create_domain(name="inheriting")
    project = identity.create_project(name="heir", domain_id=domain.id)
    user = identity.create_user(name="carol", password="secret")
    group = identity.create_group(name="operators")
    role, reader = identity.find_role("member"), identity.find_role("reader")
    assert identity.put(f"/groups/{group.id}/users/{user.id}").status_code == 204
    assert [one.id for one in identity.group_users(group)] == [user.id]
    inherited = f"/OS-INHERIT/domains/{domain.id}/groups/{group.id}/roles/{role.id}/inherited_to_projects"
    assert identity.put(inherited).status_code == 204
    direct = f"/projects/{project.id}/users/{user.id}/roles/{reader.id}"
    assert identity.head(direct).status_code == 404
    assert identity.put(direct).status_code == 204
    assert identity.head(direct).status_code == 204
    listed = identity.get(f"/role_assignments?scope.project.id={project.id}&include_names").json()["role_assignments"]
    assert [(one["user"]["name"], one["role"]["name"], one["scope"]["project"]["domain"]["name"]) for one in listed] == [
        ("carol", "reader", "inheriting")
    ]
    effective = identity.get(f"/role_assignments?scope.project.id={project.id}&user.id={user.id}&effective").json()
    assert {one["role"]["id"] for one in effective["role_assignments"]} == {role.id, reader.id}
    carol = connect(sandbox, "target-admin", username="carol", password="secret", project_id=project.id, project_name="")
    assert set(carol.session.auth.get_access(carol.session).role_names) == {"member", "reader"}
    identity.delete(f"/groups/{group.id}/users/{user.id}")
    identity.delete(direct)
    assert identity.delete(direct).status_code == 404
    with pytest.raises(SDKException, match="HTTP 401"):
        connect(sandbox, "target-admin", username="carol", password="secret", project_id=project.id, project_name="").authorize()


@pytest.mark.parametrize("missing", ["projects", "users", "roles"])
def test_an_assignment_of_what_does_not_exist(target: Connection, missing: str) -> None:
    found = {
        "projects": target.identity.find_project("admin").id,
        "users": target.identity.find_user("admin").id,
        "roles": target.identity.find_role("reader").id,
        missing: uuid.uuid4().hex,
    }
    path = "/projects/{projects}/users/{users}/roles/{roles}".format(**found)
    assert target.identity.put(path).status_code == 404


def test_deleting_a_project_ends_its_tokens_and_assignments(sandbox: Sandbox, target: Connection) -> None:
    frank = member(sandbox, target, "franks", "frank")
    project_id = frank.current_project_id
    target.identity.delete_project(project_id)
    with pytest.raises(Unauthorized):
        frank.identity.get_project(project_id)
    assert target.identity.get(f"/role_assignments?scope.project.id={project_id}").json()["role_assignments"] == []


def test_tokens_of_every_scope(sandbox: Sandbox, source: Connection) -> None:
    auth = source.session.auth
    assert auth.get_access(source.session).project_name == "admin"
    system = connect(sandbox, "source-admin", system_scope="all", project_name="", project_domain_name="")
    access = system.session.auth.get_access(system.session)
    assert (access.system, access.project_id, access.role_names) == ({"all": True}, None, ["admin"])
    unscoped = connect(sandbox, "source-admin", project_name="", project_domain_name="")
    assert unscoped.session.auth.get_access(unscoped.session).role_names == []
    with pytest.raises(SDKException, match="HTTP 401"):
        connect(sandbox, "source-admin", project_name="no-such-project").authorize()
    with pytest.raises(SDKException, match="HTTP 401"):
        connect(sandbox, "source-admin", password="wrong").authorize()


def test_a_token_can_be_looked_at_and_revoked(sandbox: Sandbox) -> None:
    admin = connect(sandbox, "source-admin")
    token = admin.authorize()
    headers = {"X-Subject-Token": token}
    shown = admin.identity.get("/auth/tokens", headers=headers).json()["token"]
    assert {entry["type"] for entry in shown["catalog"]} >= {"compute", "network", "volumev3", "image", "placement", "identity"}
    volume = next(entry for entry in shown["catalog"] if entry["type"] == "volumev3")
    assert {endpoint["interface"] for endpoint in volume["endpoints"]} == {"public", "internal", "admin"}
    assert volume["endpoints"][0]["url"].endswith(f"/volume/v3/{shown['project']['id']}")
    assert admin.identity.delete("/auth/tokens", headers=headers).status_code == 204
    fresh = connect(sandbox, "source-admin")
    assert fresh.identity.get("/auth/tokens", headers=headers).status_code == 404


def test_ec2_credentials_are_named_after_their_access_key(source: Connection) -> None:
    user = source.identity.find_user("admin")
    blob = '{"access": "key", "secret": "hush"}'
    made = source.identity.create_credential(user_id=user.id, type="ec2", blob=blob)
    assert made.id == "2c70e12b7a0646f92279f427c7b38e7334d8e5389cff167a1dc30e73f826b683"
    assert [one.id for one in source.identity.credentials(type="ec2")] == [made.id]


def test_the_openstack_client_works(sandbox: Sandbox) -> None:
    def run(*words: str) -> str:
        done = openstack(sandbox, "target-admin", *words)
        assert done.code == 0, done.err
        return done.out.strip()

    run("project", "create", "--tag", "millpond", "--property", "origin=source", "cli")
    assert run("project", "list", "--tags", "millpond", "-f", "value", "-c", "Name") == "cli"
    assert run("project", "show", "cli", "-f", "value", "-c", "origin") == "source"
    run("user", "create", "--project", "cli", "--password", "secret", "dora")
    run("role", "add", "--project", "cli", "--user", "dora", "member")
    columns = ["-f", "value", "-c", "Role", "-c", "User"]
    assert run("role", "assignment", "list", "--project", "cli", "--names", *columns) == "member dora@Default"
