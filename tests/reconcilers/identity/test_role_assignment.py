from dataclasses import replace

from millpond.model.change import UNKNOWN
from millpond.model.identity import Group, RoleAssignment
from millpond.reconcilers.identity import role_assignment
from tests.planning.situations import BOTH, done, leaving
from tests.planning.tenant import INVENTORY, SITE, desired, prepared, world
from tests.reconcilers.kinds import change, codes, ids, planned


def test_users_and_our_own_login_get_their_roles() -> None:
    found = planned(role_assignment, desired(), world())
    assert ids(found) == ["millpond#assign", "ada:member#assign"]
    own, ada = change(found, "millpond#assign").parameters, change(found, "ada:member#assign").parameters
    assert (own["user_id"], own["role_id"], own["project_id"]) == ("u-login", "role-admin", UNKNOWN)
    assert (ada["user_id"], ada["role_id"], ada["group"]) == (UNKNOWN, "role-member", False)
    assert ids(planned(role_assignment, desired(), prepared())) == []


def test_roles_go_by_the_map_and_a_missing_one_blocks() -> None:
    mapped = replace(desired(), site=replace(SITE, maps=replace(SITE.maps, roles={"member": "admin"})))
    assert ids(planned(role_assignment, mapped, world())) == ["millpond#assign", "ada:admin#assign"]
    gone = replace(desired(), site=replace(SITE, maps=replace(SITE.maps, roles={"member": "nobody"})))
    found = planned(role_assignment, gone, world())
    assert (ids(found), codes(found)) == (["millpond#assign"], [("missing_role", "")])


def test_a_group_must_be_there_and_then_gets_its_role() -> None:
    group = RoleAssignment("ops", "Default", "member", "g-ops", "role-member", group=True)
    documents = desired(replace(INVENTORY, role_assignments=(group,)))
    made = world()
    found = planned(role_assignment, documents, made)
    assert (ids(found), codes(found)) == (["millpond#assign"], [("missing_group", "")])
    snapshot = made.snapshot()
    known = replace(snapshot, target=replace(snapshot.target, groups=(Group("g-1", "ops", "customers"),)))
    made.snapshot = lambda: known  # type: ignore[method-assign]
    parameters = change(planned(role_assignment, documents, made), "ops:member#assign").parameters
    assert (parameters["user_id"], parameters["group"]) == ("g-1", True)


def test_after_a_handover_only_our_own_login_is_looked_after() -> None:
    made = done(BOTH)
    made.target.identity.assignments = []
    assert ids(planned(role_assignment, BOTH, made)) == ["millpond#assign"]
    assert ids(planned(role_assignment, leaving(), made)) == []
