"""Affinity and anti-affinity groups. Nova keeps no metadata on them: the name and policy in a project of ours are the natural key."""

from __future__ import annotations

from millpond.model.address import Side
from millpond.model.change import UNKNOWN, AnyStep, Change, Effect, FieldChange
from millpond.model.compute import ServerGroup
from millpond.model.desired import Desired
from millpond.model.finding import Finding, Severity
from millpond.model.snapshot import Facts, Snapshot
from millpond.providers.ports import Providers
from millpond.reconcilers import invariants
from millpond.reconcilers.base import Goals, KindPlan, Scope
from millpond.reconcilers.ladder import Ladder

KIND = "server_group"
READS_AFTER: tuple[str, ...] = ("project",)


def observe(providers: Providers, scope: Scope) -> Facts:
    there: dict[str, object] = {}
    if scope.target and scope.target_project:
        there = {"server_groups": providers.target.compute.server_groups(scope.target_project)}
    return Facts(
        source={"server_groups": providers.source.compute.server_groups(scope.source_project)} if scope.source else {},
        target=there,
    )


def _matching(snapshot: Snapshot, group: ServerGroup) -> tuple[ServerGroup, ...]:
    return tuple(found for found in snapshot.target.server_groups if (found.name, found.policy) == (group.name, group.policy))


def existing(snapshot: Snapshot, group: ServerGroup) -> ServerGroup | None:
    """The target's group; None where there is not exactly one."""
    found = _matching(snapshot, group)
    return found[0] if len(found) == 1 else None


def plan(desired: Desired, snapshot: Snapshot, goals: Goals) -> KindPlan:
    if goals.decommission:
        return KindPlan(tuple(_leaving(desired, snapshot)))
    steps: list[AnyStep] = []
    findings: list[Finding] = []
    seen: set[tuple[str, str]] = set()
    for group in desired.inventory.server_groups:
        key = (group.name, group.policy)
        if key in seen or len(_matching(snapshot, group)) > 1:
            findings.append(_repeated(desired, group))
        elif not _matching(snapshot, group) and not goals.verified & set(group.members):
            steps += _create(desired, snapshot, group)
        seen.add(key)
    return KindPlan(tuple(steps), tuple(findings))


def _create(desired: Desired, snapshot: Snapshot, group: ServerGroup) -> list[AnyStep]:
    ladder = Ladder(desired.address(KIND, group.id), source_id=group.id)
    body: dict[str, object] = {"name": group.name, "policy": group.policy}
    if group.rules:
        body["rules"] = dict(group.rules)
    ladder.change(
        "create",
        "servers of the tenant are members",
        effect=Effect.CREATE,
        fields=(FieldChange("name", None, group.name), FieldChange("policy", None, group.policy)),
        project_id=snapshot.target.project.id if snapshot.target.project else UNKNOWN,
        body=body,
    )
    return ladder.steps


def _leaving(desired: Desired, snapshot: Snapshot) -> list[AnyStep]:
    """Nova keeps the groups of a project that is gone. One that an excluded server is in stays with it, and so does an unknown one."""
    known = {group.id for group in desired.inventory.server_groups}
    going = [group for group in snapshot.source.server_groups if group.id in known and not desired.excluded & set(group.members)]
    steps: list[AnyStep] = []
    for group in going:
        ladder = Ladder(desired.address(KIND, group.id), source_id=group.id, side=Side.SOURCE)
        ladder.change(
            "delete",
            "decommission: true",
            effect=Effect.DELETE,
            fields=(FieldChange("id", group.id, None),),
            destination="absent",
            danger=True,
            reversible=False,
            id=group.id,
        )
        steps += ladder.steps
    return steps


def _repeated(desired: Desired, group: ServerGroup) -> Finding:
    return Finding(
        "ambiguous_server_group",
        Severity.BLOCKER,
        desired.address(KIND, group.id),
        f"several server groups are called `{group.name}` with policy `{group.policy}`",
        "Nova keeps nothing on a group by which they could be told apart",
        "rename or remove all but one of them, then run discover again",
    )


def perform(change: Change, providers: Providers) -> None:
    if change.action == "delete":
        invariants.decommission_admitted(change, providers)
        providers.source.compute.delete_server_group(change.parameters["id"])
        return
    providers.target.compute.create_server_group(change.parameters["project_id"], change.parameters["body"])
