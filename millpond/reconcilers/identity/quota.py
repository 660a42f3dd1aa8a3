"""Quotas of the target project in Nova, Cinder (with the per-type keys) and Neutron."""

from __future__ import annotations

from collections.abc import Mapping

from millpond.model.change import UNKNOWN, AnyStep, Change, FieldChange
from millpond.model.desired import Desired
from millpond.model.finding import Finding, Severity
from millpond.model.identity import Quota
from millpond.model.snapshot import Facts, Snapshot
from millpond.providers.ports import Cloud, Providers
from millpond.reconcilers.base import Goals, KindPlan, Scope
from millpond.reconcilers.identity.needs import needs
from millpond.reconcilers.ladder import Ladder

KIND = "quota"
READS_AFTER: tuple[str, ...] = ("project",)
SERVICES = ("compute", "volume", "network")
PER_TYPE = ("volumes_", "gigabytes_", "snapshots_")


def observe(providers: Providers, scope: Scope) -> Facts:
    there: dict[str, object] = {}
    if scope.target and scope.target_project:
        there = {"quotas": _read(providers.target, scope.target_project)}
    return Facts(source={"quotas": _read(providers.source, scope.source_project)} if scope.source else {}, target=there)


def _read(cloud: Cloud, project: str) -> tuple[Quota, ...]:
    return (cloud.compute.quota(project), cloud.block_storage.quota(project), cloud.network.quota(project))


def wanted(desired: Desired, quota: Quota, needed: Mapping[str, int]) -> dict[str, int]:
    """The source's limits, raised to what is needed, under the target's key names; the manifest's values hold as they are."""
    limits = {}
    for key, limit in quota.limits.items():
        there = _renamed(desired, key)
        limits[there] = limit if limit < 0 else max(limit, needed.get(there, 0))
    stated = {key: value for key, value in desired.manifest.quotas.items() if key in quota.limits or _type_of(key)}
    return {**limits, **stated}


def _type_of(key: str) -> str:
    return next((key.removeprefix(prefix) for prefix in PER_TYPE if key.startswith(prefix)), "")


def _renamed(desired: Desired, key: str) -> str:
    kind = _type_of(key)
    return key.removesuffix(kind) + desired.site.maps.volume_types.get(kind, kind) if kind else key


def plan(desired: Desired, snapshot: Snapshot, goals: Goals) -> KindPlan:
    steps: list[AnyStep] = []
    findings: list[Finding] = []
    if goals.verified or goals.decommission:
        return KindPlan()
    held = {quota.service: quota for quota in snapshot.target.quotas}
    needed = needs(desired, snapshot)
    for quota in desired.inventory.quotas:
        there = held.get(quota.service)
        limits = wanted(desired, quota, needed)
        changed = {key: value for key, value in limits.items() if there is None or (key in there.limits and there.limits[key] != value)}
        if changed:
            steps += _update(desired, snapshot, quota.service, changed, there.limits if there else {})
        findings += _too_small(desired, quota.service, limits, needed)
    return KindPlan(tuple(steps), tuple(findings))


def _update(desired: Desired, snapshot: Snapshot, service: str, changed: Mapping[str, int], before: Mapping[str, int]) -> list[AnyStep]:
    ladder = Ladder(desired.address(KIND, service))
    ladder.change(
        "update",
        "the limits that the tenant had, or that the manifest states",
        fields=tuple(FieldChange(key, before.get(key), value) for key, value in sorted(changed.items())),
        service=service,
        limits=dict(changed),
        project_id=snapshot.target.project.id if snapshot.target.project else UNKNOWN,
    )
    return ladder.steps


def _too_small(desired: Desired, service: str, limits: Mapping[str, int], needed: Mapping[str, int]) -> list[Finding]:
    """A limit that the manifest states below what the tenant's objects need."""
    return [
        Finding(
            "quota_too_small",
            Severity.BLOCKER,
            desired.address(KIND, service),
            f"quota `{key}` is {limit} on the target, the tenant needs {needed[key]}",
            "its objects would be refused halfway",
            f"raise `quotas: {{{key}: {needed[key]}}}` in the manifest, or exclude objects",
        )
        for key, limit in sorted(limits.items())
        if key in desired.manifest.quotas and 0 <= limit < needed.get(key, 0)
    ]


def perform(change: Change, providers: Providers) -> None:
    target, values = providers.target, change.parameters
    project, limits = values["project_id"], values["limits"]
    match values["service"]:
        case "compute":
            target.compute.update_quota(project, limits)
        case "volume":
            target.block_storage.update_quota(project, limits)
        case _:
            target.network.update_quota(project, limits)
