from dataclasses import replace

from millpond.model.change import UNKNOWN
from millpond.model.identity import KeyPair, RoleAssignment, User
from millpond.reconcilers.identity import key_pair
from tests.planning.situations import BOTH, PILOT, done
from tests.planning.tenant import ADA, INVENTORY, KEY, SERVERS, desired, prepared, world
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


def test_users_get_their_keys_and_our_login_a_copy_to_boot_with() -> None:
    found = planned(key_pair, desired(), world())
    assert ids(found) == ["ada:ops#create", "boot:ops#copy"]
    assert body(found, "#create") == {"name": "ops", "public_key": KEY.public_key, "type": "ssh", "user_id": UNKNOWN}
    assert body(found, "#copy")["user_id"] == "u-login"
    assert planned(key_pair, desired(), prepared()).steps == ()


def test_the_copy_goes_with_the_last_server_that_needs_it() -> None:
    made = done(BOTH)
    assert ("u-login", "ops") not in made.target.compute.keys
    assert ("u-login", "ops") in done(PILOT).target.compute.keys


def test_keys_of_one_name_take_turns() -> None:
    """Both waves are cut: each server is booted with its own user's key."""
    made = world(TWO)
    made.tick()
    made.advance(desired(TWO))
    assert made.target.compute.keys[("u-login", "ops")].public_key == KEY.public_key
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


def test_somebody_elses_key_under_the_name_holds_the_boots() -> None:
    made = world()
    made.target.compute.keys[("u-login", "ops")] = replace(KEY, user_id="u-login", public_key="ssh-rsa AAAAother me@home")
    found = planned(key_pair, desired(), made)
    assert (ids(found), codes(found)) == (["ada:ops#create", "… boot:ops#copy"], [("key_name_taken", "")])


def test_a_key_that_is_gone_is_told_and_not_asked_for() -> None:
    gone = replace(INVENTORY, key_pairs=())
    found = planned(key_pair, desired(gone), world(gone))
    assert (ids(found), codes(found)) == ([], [("key_pair_gone", "pilot"), ("key_pair_gone", "rest")])
    create = next(change for change in world(gone).plan(PILOT).changes if change.id == "acme/server/web-1#create")
    assert "key_name" in create.parameters["body"]
    bare = replace(PILOT, inventory=gone)
    create = next(change for change in world(gone).plan(bare).changes if change.id == "acme/server/web-1#create")
    assert "key_name" not in create.parameters["body"]
