"""Keystone: projects, their tags, people and roles."""

from tests.contract.coverage import covers
from tests.contract.ground import PASSWORD, Ground


@covers("identity.create_project", "identity.projects", "identity.delete_project")
def test_a_project_is_found_by_name_and_domain(ground: Ground) -> None:
    identity, name = ground.cloud.identity, ground.name("project")
    id = identity.create_project({"name": name, "domain_id": "default", "description": "first", "tags": ["b", "a"]})
    [found] = identity.projects(name, "Default")
    assert (found.id, found.description, found.enabled, found.tags, found.domain_name) == (id, "first", True, ("a", "b"), "Default")
    assert identity.projects(name, "no such domain") == ()
    identity.delete_project(id)
    assert identity.projects(name, "Default") == ()
    assert ground.admin.call("DELETE", "identity", f"/projects/{id}").status == 404


def test_a_name_is_taken_once_per_domain(ground: Ground) -> None:
    body = {"project": {"name": ground.name("project"), "domain_id": "default"}}
    assert ground.admin.call("POST", "identity", "/projects", body).status == 201
    refused = ground.admin.call("POST", "identity", "/projects", body)
    assert (refused.status, refused.error["code"]) == (409, 409)
    user = {"user": {"name": ground.name("user"), "domain_id": "default", "password": PASSWORD}}
    assert ground.admin.call("POST", "identity", "/users", user).status == 201
    assert ground.admin.call("POST", "identity", "/users", user).status == 409


@covers("identity.add_project_tag", "identity.remove_project_tag", "identity.tagged_projects")
def test_a_tag_marks_a_project_among_all(ground: Ground) -> None:
    identity, tag = ground.cloud.identity, f"millpond:{ground.name('tag')}"
    identity.add_project_tag(ground.project_id, tag)
    [found] = identity.tagged_projects(tag)
    assert (found.id, found.domain_name) == (ground.project_id, "Default")
    assert tag in found.tags
    identity.remove_project_tag(ground.project_id, tag)
    assert identity.tagged_projects(tag) == ()
    path = f"/projects/{ground.project_id}/tags/{tag}"
    assert [ground.admin.call("PUT", "identity", path).status for _ in range(2)] == [201, 400]  # a second time it is doubled
    assert ground.admin.call("DELETE", "identity", path).status == 204
    assert ground.admin.call("DELETE", "identity", path).status == 404


def test_a_tag_holds_neither_comma_nor_slash(ground: Ground) -> None:
    project = {"project": {"name": ground.name("project"), "domain_id": "default", "tags": ["a,b"]}}
    assert ground.admin.call("POST", "identity", "/projects", project).status == 400


@covers("identity.create_user", "identity.users")
def test_a_user_keeps_properties_of_ours(ground: Ground) -> None:
    identity, name = ground.cloud.identity, ground.name("user")
    body = {"name": name, "domain_id": "default", "password": PASSWORD, "email": "a@b.example", "description": "d", "millpond_source": "x1"}
    id = identity.create_user(body)
    [found] = [one for one in identity.users(["default"]) if one.id == id]
    assert (found.name, found.email, found.description, found.enabled, found.source_id) == (name, "a@b.example", "d", True, "x1")
    answer = ground.admin.done("GET", "identity", f"/users/{id}")
    assert "password" not in answer["user"]


@covers("identity.assign_role", "identity.role_assignments", "identity.roles", "identity.domains")
def test_a_role_is_given(ground: Ground) -> None:
    identity = ground.cloud.identity
    assert identity.domains()["Default"] == "default"
    role = identity.roles()[ground.member_role]
    project = ground.new_project("roles")
    identity.assign_role(project, ground.member.user_id, role)
    identity.assign_role(project, ground.member.user_id, role)  # again: no harm
    [found] = identity.role_assignments(project)
    assert (found.user_id, found.role_id, found.role, found.user_domain, found.group) == (
        ground.member.user_id,
        role,
        ground.member_role,
        "Default",
        False,
    )


@covers("identity.groups", "identity.assign_group_role", "identity.role_assignments")
def test_groups_hold_roles_too(ground: Ground) -> None:
    name, identity = ground.name("group"), ground.cloud.identity
    id = ground.admin.done("POST", "identity", "/groups", {"group": {"name": name, "domain_id": "default"}})["group"]["id"]
    assert [(one.id, one.domain_name) for one in identity.groups(["default"]) if one.name == name] == [(id, "Default")]
    project = ground.new_project("groups")
    identity.assign_group_role(project, id, ground.roles[ground.member_role])
    [found] = identity.role_assignments(project)
    assert (found.user_id, found.user, found.group) == (id, name, True)
    ground.admin.done("DELETE", "identity", f"/groups/{id}")
    assert identity.role_assignments(project) == ()


def test_a_role_that_only_subprojects_inherit_says_so(ground: Ground) -> None:
    project = ground.new_project("inherit")
    path = f"/OS-INHERIT/projects/{project}/users/{ground.member.user_id}/roles/{ground.roles[ground.member_role]}/inherited_to_projects"
    ground.admin.done("PUT", "identity", path)
    [row] = ground.admin.done("GET", "identity", "/role_assignments", **{"scope.project.id": project})["role_assignments"]
    assert row["scope"]["OS-INHERIT:inherited_to"] == "projects"
    assert ground.provider.identity.role_assignments(project) == ()


def test_filters_narrow_lists(ground: Ground) -> None:
    name = ground.name("project")
    id = ground.admin.done("POST", "identity", "/projects", {"project": {"name": name, "domain_id": "default"}})["project"]["id"]
    assert [row["id"] for row in ground.admin.get("identity", "/projects", name=name)["projects"]] == [id]
    assert ground.admin.get("identity", "/projects", name=name, domain_id="0" * 32)["projects"] == []
    assert [row["name"] for row in ground.admin.get("identity", "/domains", name="Default")["domains"]] == ["Default"]


def test_members_do_not_administer(ground: Ground) -> None:
    body = {"project": {"name": ground.name("project"), "domain_id": "default"}}
    assert ground.member.call("POST", "identity", "/projects", body).status == 403
    assert ground.member.call("PUT", "identity", f"/projects/{ground.project_id}/tags/mine").status == 403
    assert ground.member.call("DELETE", "identity", f"/projects/{ground.project_id}").status == 403
    assert ground.member.get("identity", "/users").status == 403


def test_a_project_that_is_not_there(ground: Ground) -> None:
    missing = "0" * 32
    assert ground.admin.get("identity", f"/projects/{missing}").status == 404
    assert ground.admin.call("PATCH", "identity", f"/projects/{missing}", {"project": {"enabled": False}}).status == 404
    role = ground.roles[ground.member_role]
    assert ground.admin.call("PUT", "identity", f"/projects/{missing}/users/{ground.member.user_id}/roles/{role}").status == 404


def test_a_closed_project_gives_no_tokens(ground: Ground) -> None:
    project = ground.new_project("closed")
    ground.grant(project, ground.admin.user_id, "admin")
    ground.admin.done("PATCH", "identity", f"/projects/{project}", {"project": {"enabled": False}})
    identity = {"methods": ["token"], "token": {"id": ground.admin.token()}}
    body = {"auth": {"identity": identity, "scope": {"project": {"id": project}}}}
    assert ground.admin.call("POST", "identity", "/auth/tokens", body).status == 401


def test_a_login_that_is_refused(ground: Ground) -> None:
    user = {"name": ground.name("nobody"), "domain": {"id": "default"}, "password": "wrong"}
    body = {"auth": {"identity": {"methods": ["password"], "password": {"user": user}}}}
    refused = ground.admin.call("POST", "identity", "/auth/tokens", body)
    assert (refused.status, refused.error["code"]) == (401, 401)
