"""Flavors on the target: mapped, matched by name and spec, matched by spec, or created private for the tenant."""

from __future__ import annotations

from millpond.model.change import UNKNOWN, AnyStep, Change, Effect, FieldChange
from millpond.model.compute import Flavor, Server
from millpond.model.desired import Desired
from millpond.model.finding import Finding, Severity
from millpond.model.snapshot import Facts, Snapshot
from millpond.providers.ports import Providers
from millpond.reconcilers.base import Goals, KindPlan, Scope
from millpond.reconcilers.ladder import Ladder

KIND = "flavor"
READS_AFTER: tuple[str, ...] = ("project",)
OURS = "millpond: made for tenant "


def observe(providers: Providers, scope: Scope) -> Facts:
    """The target's flavors. Who may use a private one is asked for those alone that Millpond made or the map names."""
    if not scope.target:
        return Facts()
    compute = providers.target.compute
    named = set(providers.site.maps.flavors.values())
    flavors = []
    for flavor in compute.flavors():
        ask = not flavor.is_public and (flavor.description == OURS + scope.tenant or flavor.name in named)
        flavors.append(_with_access(flavor, compute.flavor_access(flavor.id)) if ask else flavor)
    return Facts(target={"flavors": tuple(flavors)})


def _with_access(flavor: Flavor, access: tuple[str, ...]) -> Flavor:
    return Flavor(**{**{name: getattr(flavor, name) for name in Flavor.__dataclass_fields__}, "access": access})


def chosen_name(desired: Desired, server: Server) -> str:
    """The name that the manifest or the map asks for; empty where the source's own flavor is to be matched."""
    values = desired.server_values.get(server.id)
    return (values.flavor if values else "") or desired.site.maps.flavors.get(server.flavor.name, "")


def existing(desired: Desired, snapshot: Snapshot, server: Server) -> Flavor | None:
    """The target's flavor for this server, None where it is missing or still to be created. Any name will do: see decision 0019."""
    asked = chosen_name(desired, server)
    if asked:
        return next((flavor for flavor in snapshot.target.flavors if flavor.name == asked), None)
    fits = [flavor for flavor in snapshot.target.flavors if flavor.is_public and flavor.spec() == server.flavor.spec()]
    named = [flavor for flavor in fits if flavor.name == server.flavor.name]
    return next(iter(named or sorted(fits, key=lambda flavor: flavor.name)), None) or _made(desired, snapshot, server.flavor)


def _made(desired: Desired, snapshot: Snapshot, flavor: Flavor) -> Flavor | None:
    """The one that Millpond made for it: by name and size, its extra specs may still be missing."""
    wanted = _private(desired, snapshot, flavor)
    return next((known for known in snapshot.target.flavors if _ours(desired, known) and _size(known) == _size(wanted)), None)


def _ours(desired: Desired, flavor: Flavor) -> bool:
    return flavor.description == OURS + desired.tenant


def _size(flavor: Flavor) -> tuple[object, ...]:
    return (flavor.name, *flavor.spec()[:-1])


def wanted(desired: Desired, snapshot: Snapshot, server: Server) -> Flavor:
    """What the server shall have there: the chosen flavor as the target defines it, or the one that is to be created."""
    found = existing(desired, snapshot, server)
    return _private(desired, snapshot, server.flavor) if found is None or _ours(desired, found) else found


def _private(desired: Desired, snapshot: Snapshot, flavor: Flavor) -> Flavor:
    taken = {known.name for known in snapshot.target.flavors if not _ours(desired, known)}
    name = f"{desired.tenant}-{flavor.name}" if flavor.name in taken else flavor.name
    return Flavor(
        name, flavor.vcpus, flavor.ram, flavor.disk, flavor.ephemeral, flavor.swap, flavor.extra_specs,
        is_public=False, description=OURS + desired.tenant,
    )  # fmt: skip


def plan(desired: Desired, snapshot: Snapshot, goals: Goals) -> KindPlan:
    steps: dict[str, AnyStep] = {}
    findings: list[Finding] = []
    for server in desired.inventory.servers:
        if not goals.wave(server.id) or server.id in goals.verified or goals.decommission:
            continue
        found = existing(desired, snapshot, server)
        if found is None and chosen_name(desired, server):
            findings.append(_missing(desired, goals, server))
        elif found is None:
            _create(steps, desired, snapshot, server)
        elif not found.is_public:
            _complete(steps, desired, snapshot, server, found)
    return KindPlan(tuple(steps.values()), tuple(findings))


def _missing(desired: Desired, goals: Goals, server: Server) -> Finding:
    asked, values = chosen_name(desired, server), desired.server_values.get(server.id)
    stated = bool(values and values.flavor)
    place = desired.places.get(server.id) or desired.manifest.file
    return Finding(
        "missing_flavor",
        Severity.BLOCKER,
        desired.address("server", server.id),
        f"the target has no flavor `{asked}`",
        f"{place} asks for it" if stated else f"maps.flavors in millpond.yaml maps `{server.flavor.name}` to it",
        f"create the flavor on the target, or {'name' if stated else f'map `{server.flavor.name}` to'} another one",
        wave=goals.wave(server.id),
        cause=None if stated else desired.address(KIND, asked),
    )


def _ladder(desired: Desired, name: str, server: Server) -> Ladder:
    return Ladder(desired.address(KIND, name), source_id=name, servers=(server.id,))


def _create(steps: dict[str, AnyStep], desired: Desired, snapshot: Snapshot, server: Server) -> None:
    flavor = _private(desired, snapshot, server.flavor)
    ladder = _ladder(desired, flavor.name, server)
    body = {
        "name": flavor.name,
        "vcpus": flavor.vcpus,
        "ram": flavor.ram,
        "disk": flavor.disk,
        "OS-FLV-EXT-DATA:ephemeral": flavor.ephemeral,
        "swap": flavor.swap,
        "os-flavor-access:is_public": False,
        "description": flavor.description,
    }
    ladder.change(
        "create",
        "no flavor of the target has this specification",
        effect=Effect.CREATE,
        fields=tuple(FieldChange(key, None, body[key]) for key in ("name", "vcpus", "ram", "disk")),
        body=body,
    )
    if flavor.extra_specs:
        _extra_specs(ladder, flavor, UNKNOWN, {})
    _access(ladder, snapshot, UNKNOWN)
    steps.update({step.id: step for step in ladder.steps})


def _complete(steps: dict[str, AnyStep], desired: Desired, snapshot: Snapshot, server: Server, found: Flavor) -> None:
    project = snapshot.target.project
    ladder = _ladder(desired, found.name, server)
    specs = _private(desired, snapshot, server.flavor).extra_specs
    if _ours(desired, found) and dict(found.extra_specs) != dict(specs):
        _extra_specs(ladder, _private(desired, snapshot, server.flavor), found.id, dict(found.extra_specs))
    if project is None or project.id not in found.access:
        _access(ladder, snapshot, found.id)
    steps.update({step.id: step for step in ladder.steps})


def _extra_specs(ladder: Ladder, flavor: Flavor, flavor_id: str, before: dict[str, str]) -> None:
    ladder.change(
        "extra_specs",
        "the tenant's flavor has them on the source",
        fields=tuple(FieldChange(f"extra_specs.{key}", before.get(key), value) for key, value in sorted(flavor.extra_specs.items())),
        flavor_id=flavor_id,
        specs=dict(flavor.extra_specs),
    )


def _access(ladder: Ladder, snapshot: Snapshot, flavor_id: str) -> None:
    ladder.change(
        "access",
        "the flavor is private",
        fields=(FieldChange("access", None, "the tenant's project"),),
        flavor_id=flavor_id,
        project_id=snapshot.target.project.id if snapshot.target.project else UNKNOWN,
    )


def perform(change: Change, providers: Providers) -> None:
    compute, values = providers.target.compute, change.parameters
    match change.action:
        case "create":
            compute.create_flavor(values["body"])
        case "extra_specs":
            compute.set_flavor_extra_specs(values["flavor_id"], values["specs"])
        case "access":
            compute.add_flavor_access(values["flavor_id"], values["project_id"])
        case other:
            raise AssertionError(other)
