from dataclasses import replace

from millpond.model.change import UNKNOWN, Change
from millpond.model.finding import Severity
from millpond.model.identity import KeyPair, RoleAssignment, User
from millpond.model.plan import TenantPlan
from millpond.model.snapshot import CloudState, Snapshot
from millpond.reconcilers.base import Scope
from millpond.reconcilers.identity import key_pair
from tests.planning.situations import PILOT
from tests.planning.tenant import ADA, INVENTORY, KEY, SERVERS, desired, prepared, world
from tests.planning.world import at
from tests.reconcilers.kinds import body, codes, ids, planned

BOB = User("u-bob", "bob", "Default")
BOBS = KeyPair("ops", "u-bob", "bob", "ssh-ed25519 AAAAC3bob bob@desk", "cc:dd")
TWO = replace(
    INVENTORY,
    users=(ADA, BOB),
    role_assignments=(*INVENTORY.role_assignments, RoleAssignment("bob", "Default", "member", "u-bob", "role-member")),
    key_pairs=(KEY, BOBS),
    servers=(SERVERS[0], replace(SERVERS[1], user_id="u-bob")),
)


def test_users_get_their_keys() -> None:
    found = planned(key_pair, desired(), world())
    assert ids(found) == ["ada:ops#create"]
    assert body(found, "#create") == {"name": "ops", "public_key": KEY.public_key, "type": "ssh", "user_id": UNKNOWN}
    assert planned(key_pair, desired(), prepared()).steps == ()


def test_our_login_gets_a_copy_to_boot_with_before_anything_of_the_cut() -> None:
    made = prepared()
    plan = made.plan(PILOT)
    copy = next(change for change in plan.changes if change.id == "acme/key_pair/boot:ops#copy")
    assert (copy.wave, copy.parameters["body"]["user_id"]) == ("pilot", "u-login")
    record = next(change for change in plan.changes if change.id == "acme/source_server/web-1#record")
    assert copy.id in record.after


def test_the_copy_goes_with_the_last_server_of_the_cut_that_needs_it() -> None:
    assert ("u-login", "ops") not in prepared().target.compute.keys
    made = prepared()
    made.advance(PILOT, at("server/web-1#create"))
    assert ("u-login", "ops") in made.target.compute.keys
    made.advance(PILOT)
    assert ("u-login", "ops") not in made.target.compute.keys


def test_a_flag_that_goes_back_takes_the_copy_along() -> None:
    made = prepared()
    made.advance(PILOT, at("source_server/web-1#record"))
    assert ("u-login", "ops") in made.target.compute.keys
    made.advance(desired())
    assert ("u-login", "ops") not in made.target.compute.keys


def test_keys_of_one_name_take_turns() -> None:
    """Both waves are cut: each server is booted with its own user's key."""
    made = world(TWO)
    made.tick()
    made.advance(desired(TWO))
    both = replace(desired(TWO), waves=tuple(replace(wave, cutover=True) for wave in desired(TWO).waves))
    made.advance(both)
    booted = [id for id in made.sent if id.startswith("acme/key_pair/boot") or id.endswith(("server/web-1#create", "server/web-2#create"))]
    assert booted[-5:] == [
        "acme/server/web-1#create",
        "acme/key_pair/boot:ops#remove_copy",
        "acme/key_pair/boot:ops#copy",
        "acme/server/web-2#create",
        "acme/key_pair/boot:ops#remove_copy",
    ]
    assert ("u-login", "ops") not in made.target.compute.keys


def test_a_plan_that_was_reviewed_holds_for_every_turn() -> None:
    made = world(TWO)
    made.tick()
    made.advance(desired(TWO))
    both = replace(desired(TWO), waves=tuple(replace(wave, cutover=True) for wave in desired(TWO).waves))
    seen: list[Change] = []

    def watched(plan: TenantPlan) -> bool:
        seen.extend(change for change in plan.changes if change.id == "acme/key_pair/boot:ops#copy")
        return False

    made.advance(both, watched)
    assert {change.parameters["body"]["public_key"] for change in seen} == {KEY.public_key, BOBS.public_key}
    assert {str(change.fields) for change in seen} == {str(seen[0].fields)}
    assert seen[0].fields[1].after == [KEY.fingerprint, BOBS.fingerprint]


def test_somebody_elses_key_under_the_name_holds_the_wave_while_it_runs() -> None:
    made = prepared()
    made.target.compute.keys[("u-login", "ops")] = replace(KEY, user_id="u-login", public_key="ssh-rsa AAAAother me@home")
    assert planned(key_pair, desired(), made).findings == ()
    plan = made.advance(PILOT)
    assert [(finding.code, finding.wave) for finding in plan.blockers] == [("key_name_taken", "pilot")]
    assert made.source.compute.shown("server-1").status == "ACTIVE"
    del made.target.compute.keys[("u-login", "ops")]
    assert made.advance(PILOT).steps == ()


def test_a_key_that_is_gone_is_told_and_not_asked_for() -> None:
    gone = replace(INVENTORY, key_pairs=())
    found = planned(key_pair, desired(gone), world(gone))
    assert (ids(found), codes(found)) == ([], [("key_pair_gone", "pilot"), ("key_pair_gone", "rest")])
    create = next(change for change in world(gone).plan(PILOT).changes if change.id == "acme/server/web-1#create")
    assert "key_name" in create.parameters["body"]
    bare = replace(PILOT, inventory=gone)
    create = next(change for change in world(gone).plan(bare).changes if change.id == "acme/server/web-1#create")
    assert "key_name" not in create.parameters["body"]


def test_a_key_that_the_source_has_and_the_inventory_lacks_is_not_called_gone() -> None:
    stale = replace(INVENTORY, key_pairs=())
    made = world(stale)
    made.source.compute.keys[("u-ada", "ops")] = KEY
    found = planned(key_pair, desired(stale), made)
    assert codes(found) == [("key_pair_not_in_inventory", "pilot"), ("key_pair_not_in_inventory", "rest")]
    assert "millpond discover acme" in found.findings[0].fix


def test_another_key_of_the_name_is_told_and_left_to_its_user() -> None:
    made = prepared()
    (owner,) = (user.id for user in made.target.identity.users_.values() if user.name == "ada")
    other = replace(made.target.compute.keys[(owner, "ops")], public_key="ssh-ed25519 AAAAC3other ada@new-laptop")
    made.target.compute.keys[(owner, "ops")] = other
    found = planned(key_pair, desired(), made)
    assert (ids(found), [(f.code, f.severity, str(f.address)) for f in found.findings]) == (
        [],
        [("key_pair_differs", Severity.WARNING, "acme/key_pair/ada:ops")],
    )
    assert made.advance(PILOT).blockers == ()
    assert made.target.compute.keys[(owner, "ops")] == other


def test_a_key_whose_comment_alone_differs_is_the_same() -> None:
    made = prepared()
    (owner,) = (user.id for user in made.target.identity.users_.values() if user.name == "ada")
    made.target.compute.keys[(owner, "ops")] = replace(KEY, user_id=owner, public_key="ssh-ed25519 AAAAC3ops ada@elsewhere")
    assert planned(key_pair, desired(), made).findings == ()


def test_the_keys_of_whoever_booted_a_server_are_read_each_user_once() -> None:
    """A server without a key asks for nobody's."""
    servers = (SERVERS[0], replace(SERVERS[0], id="s-2", user_id="u-gone"), replace(SERVERS[0], id="s-3", user_id="u-x", key_name=""))
    seen = Snapshot(source=CloudState(users=(ADA,), role_assignments=INVENTORY.role_assignments, servers=servers))
    asked: list[dict[str, str]] = []
    made = world()
    made.source.compute.key_pairs = lambda users: asked.append(dict(users)) or ()  # type: ignore[method-assign,func-returns-value]
    key_pair.observe(made, Scope("acme", "p", "", seen, target=False))
    assert asked == [{"u-gone": "", "u-ada": "ada"}]
