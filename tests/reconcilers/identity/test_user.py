from dataclasses import replace

from millpond.model.identity import User
from millpond.reconcilers.base import Goals
from millpond.reconcilers.identity import user
from tests.planning.situations import PILOT, done
from tests.planning.tenant import SITE, desired, prepared, world
from tests.reconcilers.kinds import body, codes, ids, planned


def test_a_user_is_made_without_a_password_in_the_mapped_domain() -> None:
    found = planned(user, desired(), world())
    assert ids(found) == ["ada#create"]
    assert body(found, "#create") == {
        "name": "ada",
        "domain_id": "d-customers",
        "email": "ada@example.com",
        "enabled": True,
        "millpond_source": "u-ada",
    }
    assert codes(found) == [("users_without_password", "")]
    assert not any("password" in field.path for step in found.steps for field in getattr(step, "fields", ()))


def test_one_of_that_name_in_that_domain_is_the_same_person() -> None:
    made = world()
    made.target.identity.users_["u-1"] = User("u-1", "ada", "customers")
    assert (ids(planned(user, desired(), made)), codes(planned(user, desired(), made))) == ([], [])
    made.target.identity.users_["u-1"] = User("u-1", "ada", "elsewhere")
    assert ids(planned(user, desired(), made)) == ["ada#create"]


def test_a_domain_that_the_target_does_not_have_blocks() -> None:
    unmapped = replace(desired(), site=replace(SITE, maps=replace(SITE.maps, domains={"Default": "nowhere"})))
    found = planned(user, unmapped, world())
    assert (ids(found), [code for code, _ in codes(found)]) == ([], ["missing_domain", "users_without_password"])


def test_from_the_first_handover_on_users_are_the_tenants() -> None:
    made = done()
    made.target.identity.users_.clear()
    assert (planned(user, PILOT, made).steps, codes(planned(user, PILOT, made))) == ((), [])


def test_who_was_made_without_a_password_is_told_until_decommissioning() -> None:
    assert [code for code, _ in codes(planned(user, desired(), prepared()))] == ["users_without_password"]
    made = done()
    found = planned(user, PILOT, made)
    assert found.steps == ()
    assert [finding.what for finding in found.findings] == ["1 user has no password on the target: ada"]
    assert found.findings[0].why.endswith("nor does one tell whether it was set since")
    assert user.plan(PILOT, made.snapshot(), Goals(decommission=True, verified=frozenset({"server-1"}))).findings == ()
    made.target.identity.users_ = {id: replace(one, source_id="") for id, one in made.target.identity.users_.items()}
    assert planned(user, PILOT, made).findings == ()
