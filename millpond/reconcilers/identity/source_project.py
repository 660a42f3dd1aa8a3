"""The project on the source: tagged while it is migrated, tagged once its decommissioning was admitted, absent at the very end."""

from __future__ import annotations

from millpond.model.address import Side
from millpond.model.change import Change, Effect, FieldChange
from millpond.model.desired import Desired
from millpond.model.identity import Project
from millpond.model.marker import DECOMMISSION_BEGUN_TAG, DECOMMISSION_TAG_PREFIX, TENANT_TAG
from millpond.model.snapshot import Facts, Snapshot
from millpond.providers.ports import Providers
from millpond.reconcilers import invariants_decommission
from millpond.reconcilers.base import Goals, KindPlan, Scope
from millpond.reconcilers.ladder import Ladder

KIND = "source_project"
READS_AFTER: tuple[str, ...] = ()
ADMIT = "admit_decommission"


def admission_tag(digest: str) -> str:
    """Of the decommissioning that an approval of this digest admitted; without a digest, what all of them begin with."""
    return DECOMMISSION_TAG_PREFIX + digest.removeprefix("sha256:")[:12]


def observe(providers: Providers, scope: Scope) -> Facts:
    """The projects are looked up before everything else (see runs/observe)."""
    return Facts()


def plan(desired: Desired, snapshot: Snapshot, goals: Goals) -> KindPlan:
    project = snapshot.source.project
    if project is None:
        return KindPlan()
    ladder = Ladder(desired.address(KIND, project.id), source_id=project.id, side=Side.SOURCE)
    if TENANT_TAG not in project.tags:
        ladder.change(
            "tag",
            "a project that is being migrated says so, should every document be lost",
            fields=(FieldChange("tags", None, TENANT_TAG),),
            project_id=project.id,
            tag=TENANT_TAG,
        )
    if goals.decommission:
        tag = admission_tag(goals.digest)
        if tag not in project.tags:
            ladder.change(
                ADMIT,
                "soak and approval are judged once: from here on the decommissioning is finished",
                fields=(FieldChange("tags", None, tag),),
                project_id=project.id,
                tag=tag,
            )
        if desired.excluded:  # it stays: what the manifest excludes lives in it
            return KindPlan(tuple(ladder.steps))
        ladder.change(
            "delete",
            "decommission: true",
            effect=Effect.DELETE,
            destination="absent",
            danger=True,
            reversible=False,
            project_id=project.id,
        )
    elif not desired.manifest.decommission:
        _revoke(ladder, project)
    return KindPlan(tuple(ladder.steps))


def _revoke(ladder: Ladder, project: Project) -> None:
    """An admission does not outlive the flag: the next decommissioning needs its own soak and approval."""
    admitted = [tag for tag in project.tags if tag.startswith(DECOMMISSION_TAG_PREFIX)]
    reason = "decommission is false again: what is gone was handed over before, nothing more may go"
    if admitted and DECOMMISSION_BEGUN_TAG not in project.tags:
        fields = (FieldChange("tags", None, DECOMMISSION_BEGUN_TAG),)
        ladder.change("remember", reason, fields=fields, project_id=project.id, tag=DECOMMISSION_BEGUN_TAG)
    for tag in admitted:
        ladder.change(f"revoke:{tag}", reason, fields=(FieldChange("tags", tag, None),), project_id=project.id, tag=tag)


def perform(change: Change, providers: Providers) -> None:
    identity, values = providers.source.identity, change.parameters
    if change.action == "delete":
        invariants_decommission.project_is_empty(change, providers)
        identity.delete_project(values["project_id"])
    elif change.action.startswith("revoke"):
        identity.remove_project_tag(values["project_id"], values["tag"])
    else:
        identity.add_project_tag(values["project_id"], values["tag"])
