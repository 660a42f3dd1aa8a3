"""Key pairs of every user of the tenant; and the copies under Millpond's own login that a boot needs.

Whoever booted a server may be a user by a group, or none any more: their keys are read too, for the copies. Nova looks `key_name` up
among the key pairs of the user who boots, so a copy of the same name stands under the login while a wave that uses it is cut: made before
anything stops, removed once nothing has to boot with it. Other tenants may have keys of the same name; they take turns. Key pairs carry
no marker: user and name are the natural key.
"""

from __future__ import annotations

from millpond.model.change import UNKNOWN, AnyStep, Change, Effect, FieldChange
from millpond.model.compute import Server
from millpond.model.desired import Desired
from millpond.model.finding import Finding, Severity
from millpond.model.identity import KeyPair
from millpond.model.plan import Stage
from millpond.model.snapshot import Facts, Snapshot
from millpond.model.to_do import to_do
from millpond.providers.ports import Providers
from millpond.reconcilers import boot
from millpond.reconcilers.base import Goals, KindPlan, Scope
from millpond.reconcilers.identity.user import existing
from millpond.reconcilers.invariants import broken
from millpond.reconcilers.ladder import Ladder
from millpond.reconcilers.twins import marked

KIND = "key_pair"
READS_AFTER: tuple[str, ...] = ("project", "role_assignment", "user", "server")


def observe(providers: Providers, scope: Scope) -> Facts:
    assigned = {a.user_id: a.user for a in scope.seen.source.role_assignments if not a.group}
    people = {user.id: user.name for user in scope.seen.source.users}
    booters = {server.user_id: people.get(server.user_id, "") for server in scope.seen.source.servers if server.key_name}
    names = {(user.name, user.domain_name) for user in scope.seen.source.users if user.id in assigned}
    domains = providers.site.maps.domains
    mapped = {(name, domains.get(domain, domain)) for name, domain in names}
    there = {user.id: user.name for user in scope.seen.target.users if (user.name, user.domain_name) in mapped}
    own = scope.seen.target.user_id
    return Facts(
        source={"key_pairs": providers.source.compute.key_pairs({**booters, **assigned})} if scope.source else {},
        target={"key_pairs": providers.target.compute.key_pairs({**there, **({own: ""} if own else {})})} if scope.target else {},
    )


def of_server(desired: Desired, server: Server) -> KeyPair | None:
    """The key pair that the server was booted with, as the inventory knows it; None where it has none or it was deleted since."""
    wanted = (server.user_id, server.key_name)
    return next((key for key in desired.inventory.key_pairs if (key.user_id, key.name) == wanted), None)


def plan(desired: Desired, snapshot: Snapshot, goals: Goals) -> KindPlan:
    steps: list[AnyStep] = []
    findings: list[Finding] = []
    held = {(key.user_id, key.name): key for key in snapshot.target.key_pairs}
    users = {user.id: user for user in desired.inventory.users}
    for key in desired.inventory.key_pairs:
        owner = users.get(key.user_id)
        if owner is None or goals.verified:
            continue
        user = existing(desired, snapshot, owner.name, owner.domain_name)
        there = held.get((user.id, key.name)) if user else None
        if there is not None and _blob(there) != _blob(key):
            findings.append(_differs(desired, key))
        elif there is None:
            steps += _create(desired, f"{key.user}:{key.name}", key, user.id if user else UNKNOWN, "the user has it on the source")
    own_steps, own_findings = _copies(desired, snapshot, goals, held)
    live = {(key.user_id, key.name) for key in snapshot.source.key_pairs}
    for server in desired.inventory.servers:
        if server.key_name and of_server(desired, server) is None:
            missed = (server.user_id, server.key_name) in live
            findings.append(_missed(desired, goals, server) if missed else _gone(desired, goals, server))
    return KindPlan((*steps, *own_steps), (*findings, *own_findings))


def _create(desired: Desired, name: str, key: KeyPair, user_id: str, reason: str) -> list[AnyStep]:
    ladder = Ladder(desired.address(KIND, name), source_id=key.user_id)
    body = {"name": key.name, "public_key": key.public_key, "type": key.type, "user_id": user_id}
    ladder.change(
        "create",
        reason,
        effect=Effect.CREATE,
        fields=(FieldChange("name", None, key.name), FieldChange("fingerprint", None, key.fingerprint)),
        body=body,
    )
    return ladder.steps


def _copies(
    desired: Desired, snapshot: Snapshot, goals: Goals, held: dict[tuple[str, str], KeyPair]
) -> tuple[list[AnyStep], list[Finding]]:
    """For each key name: the copy that the next server to boot needs. Two users' keys of one name take turns."""
    steps: list[AnyStep] = []
    findings: list[Finding] = []
    login = snapshot.target.user_id
    known = [_blob(key) for key in desired.inventory.key_pairs]
    wanted = _still_to_boot(desired, snapshot, goals)
    for name in sorted({key.name for key in desired.inventory.key_pairs}):
        copy, needs = held.get((login, name)), wanted.get(name, [])
        need = needs[0][1] if needs else None
        wave = goals.wave(needs[0][0]) if needs else ""
        booting = tuple(id for id, key in needs if need is not None and _blob(key) == _blob(need))
        ladder = Ladder(desired.address(KIND, f"boot:{name}"), wave=wave, servers=booting)
        if copy is not None and _blob(copy) not in known:
            if need is not None:
                findings.append(_taken(desired, name, wave))
                ladder.wait("copy", "held by another key pair of this name", long=True)
            steps += ladder.steps
            continue
        wrong = copy is not None and (need is None or _blob(copy) != _blob(need))
        if wrong:
            ladder.change(
                "remove_copy",
                "no server to boot needs it any more",
                effect=Effect.DELETE,
                name=name,
                user_id=login,
                tenants=sorted(known),
            )
        if need is not None and (copy is None or wrong):
            ladder.change(
                "copy",
                "Nova looks a boot's key up under the user who boots; the copy is removed when the servers are built",
                effect=Effect.CREATE,
                fields=(FieldChange("name", None, name), FieldChange("fingerprint", None, _fingerprints(desired, name))),
                body={"name": name, "public_key": need.public_key, "type": need.type, "user_id": login},
            )
        steps += [*ladder.steps, *(_turn(desired, goals, name, needs) if need else ())]
    return steps, findings


def _turn(desired: Desired, goals: Goals, name: str, needs: list[tuple[str, KeyPair]]) -> list[AnyStep]:
    """Servers of a wave under way that must not be booted yet: they would get the key that stands under the name now."""
    late = tuple(id for id, key in needs if _blob(key) != _blob(needs[0][1]) and goals.stage(id) is Stage.CUT)
    ladder = Ladder(desired.address(KIND, f"boot:{name}"), servers=late)
    if late:
        ladder.wait("turn", "servers that were given another user's key of this name are booted first", long=True)
    return ladder.steps


def _fingerprints(desired: Desired, name: str) -> str | list[str]:
    """Of all keys that take turns under the name: a plan was reviewed for all of them, whichever is next."""
    keys = {tuple(_blob(key)): key.fingerprint for key in desired.inventory.key_pairs if key.name == name}
    first, *others = keys.values()
    return [first, *others] if others else first


def _blob(key: KeyPair) -> list[str]:
    """Without the comment, which says nothing of the key."""
    return key.public_key.split()[:2]


def _still_to_boot(desired: Desired, snapshot: Snapshot, goals: Goals) -> dict[str, list[tuple[str, KeyPair]]]:
    """key name → (server, key) of the waves that are cut, in the inventory's order, in which servers that must not boot at once follow
    each other. Where all have been sent, those that are being built: their boots may have to be repeated."""
    waves = [wave for wave in desired.waves if goals.stages.get(wave.name) is Stage.CUT]
    rank = {id: at for at, wave in enumerate(waves) for id in wave.servers}
    moving = [server for server in desired.inventory.servers if server.id in rank and server.id not in goals.verified]
    records = {server.id: server.record for server in snapshot.source.servers}
    unsent: dict[str, list[tuple[str, KeyPair]]] = {}
    building: dict[str, list[tuple[str, KeyPair]]] = {}
    for server in sorted(moving, key=lambda server: rank[server.id]):
        key, twins = of_server(desired, server), marked(snapshot.target.servers, server.id)
        if key is None:
            continue
        if not twins or twins[0].never_ran:
            if boot.failures(records.get(server.id))[0] < desired.site.limits.attempts:
                unsent.setdefault(key.name, []).append((server.id, key))
        elif twins[0].status == "BUILD":
            building.setdefault(key.name, []).append((server.id, key))
    return {**building, **unsent}


def _taken(desired: Desired, name: str, wave: str) -> Finding:
    return Finding(
        "key_name_taken",
        Severity.BLOCKER,
        desired.address(KIND, f"boot:{name}"),
        f"Millpond's login on the target has another key pair called `{name}`",
        "the servers' key must stand under that name while they are booted, and Millpond deletes only what it created",
        "if another tenant with a key of this name is being cut over, apply again when that is done; else rename that key pair, or give "
        "Millpond a login of its own",
        wave=wave,
    )


def _gone(desired: Desired, goals: Goals, server: Server) -> Finding:
    return Finding(
        "key_pair_gone",
        Severity.WARNING,
        desired.address("server", server.id),
        f"its key pair `{server.key_name}` does not exist any more",
        "the name stays with the source server alone; the guest keeps the key that it was given",
        "nothing to do, unless the guest reads its key again at every boot",
        wave=goals.wave(server.id),
    )


def _missed(desired: Desired, goals: Goals, server: Server) -> Finding:
    return Finding(
        "key_pair_not_in_inventory",
        Severity.WARNING,
        desired.address("server", server.id),
        f"its key pair `{server.key_name}` exists on the source and is not in the inventory",
        "the server would be booted without it",
        to_do("take it into the inventory, and have the diff merged", f"millpond discover {desired.tenant}"),
        wave=goals.wave(server.id),
    )


def _differs(desired: Desired, key: KeyPair) -> Finding:
    return Finding(
        "key_pair_differs",
        Severity.WARNING,
        desired.address(KIND, f"{key.user}:{key.name}"),
        f"user {key.user} has another key pair called `{key.name}` on the target",
        "Millpond deletes only what it created; servers that are moved get the key that they have on the source, servers that the user "
        "boots there get the other one",
        f"ask {key.user} which of the two is right, and delete the one on the target if it is the source's",
    )


def _is_a_copy(change: Change, providers: Providers) -> None:
    """Key pairs carry no marker: what stands under the name, read again, is still a key of the tenant's."""
    values = change.parameters
    held = providers.target.compute.key_pairs({values["user_id"]: ""})
    if any((key.user_id, key.name) == (values["user_id"], values["name"]) and _blob(key) not in values["tenants"] for key in held):
        raise broken(change, f"another key pair is called {values['name']} by now: Millpond deletes only what it created")


def perform(change: Change, providers: Providers) -> None:
    values = change.parameters
    if change.action == "remove_copy":
        _is_a_copy(change, providers)
        providers.target.compute.delete_key_pair(values["name"], values["user_id"])
    else:
        providers.target.compute.create_key_pair(values["body"])
