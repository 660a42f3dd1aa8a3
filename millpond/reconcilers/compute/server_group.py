"""Affinity and anti-affinity groups. Nova keeps no metadata on them: name, policy and rules in a project of ours are the natural key, and
which of several that are alike stands for which is told by who is in them (see server_group_twins)."""

from __future__ import annotations

from collections.abc import Iterator

from millpond.model.address import Side
from millpond.model.change import UNKNOWN, AnyStep, Change, Effect, FieldChange
from millpond.model.compute import ServerGroup
from millpond.model.desired import Desired
from millpond.model.finding import Finding, Severity
from millpond.model.snapshot import Facts, Snapshot
from millpond.providers.ports import Providers
from millpond.reconcilers import invariants_decommission
from millpond.reconcilers.base import Goals, KindPlan, Scope
from millpond.reconcilers.compute.server_group_twins import Likeness, in_order, likeness, twins
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


def existing(desired: Desired, snapshot: Snapshot, group: ServerGroup) -> ServerGroup | None:
    """The target's group; None where there is none, or it is not clear which one."""
    return twins(desired, snapshot).found.get(group.id)


def plan(desired: Desired, snapshot: Snapshot, goals: Goals) -> KindPlan:
    if goals.decommission:
        return KindPlan(tuple(_leaving(desired, snapshot)))
    steps: list[AnyStep] = []
    findings: list[Finding] = []
    known = twins(desired, snapshot)
    former: dict[Likeness, tuple[str, ...]] = {}
    for group in in_order(desired):
        if group.id in known.doubtful:
            findings += _doubtful(desired, goals, group, known.doubtful[group.id])
        elif group.id not in known.found and not goals.verified & set(group.members):
            made = _create(desired, snapshot, group, former.get(likeness(group), ()))
            former[likeness(group)] = tuple(step.id for step in made)
            steps += made
    return KindPlan(tuple(steps), tuple(findings))


def _create(desired: Desired, snapshot: Snapshot, group: ServerGroup, first: tuple[str, ...]) -> list[AnyStep]:
    """Those that are alike one after the other: what is made stands for the first that has none."""
    ladder = Ladder(desired.address(KIND, group.id), source_id=group.id, first=first)
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


def _doubtful(desired: Desired, goals: Goals, group: ServerGroup, ids: tuple[str, ...]) -> Iterator[Finding]:
    """For each wave of which a server is still to become a member."""
    for wave in dict.fromkeys(goals.wave(member) for member in group.members if member not in goals.verified and goals.wave(member)):
        yield Finding(
            "ambiguous_server_group",
            Severity.BLOCKER,
            desired.address(KIND, group.id),
            f"it is not clear which server group of the target stands for it: {', '.join(ids)}",
            f"they are called `{group.name}`, with policy `{group.policy}` and equal rules, and who is in them does not tell them apart",
            "delete those on the target that nobody needs: Nova can neither rename a group nor bring a server into another one",
            wave=wave,
        )


def perform(change: Change, providers: Providers) -> None:
    if change.action == "delete":
        invariants_decommission.decommission_admitted(change, providers)
        providers.source.compute.delete_server_group(change.parameters["id"])
        return
    providers.target.compute.create_server_group(change.parameters["project_id"], change.parameters["body"])
