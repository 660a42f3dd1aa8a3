"""The project on the target."""

from __future__ import annotations

from millpond.model.change import Change, Effect, FieldChange
from millpond.model.desired import Desired
from millpond.model.finding import Finding, Severity
from millpond.model.identity import Project
from millpond.model.marker import TENANT_TAG, own_tags, tag_for
from millpond.model.snapshot import Facts, Snapshot
from millpond.providers.ports import Cloud, Providers
from millpond.reconcilers.base import Goals, KindPlan, Scope
from millpond.reconcilers.ladder import Ladder

KIND = "project"
READS_AFTER: tuple[str, ...] = ()


def observe(providers: Providers, scope: Scope) -> Facts:
    """The projects themselves are looked up before everything else (see runs/observe); this reads the domains and logins."""
    source, target = providers.source, providers.target
    return Facts(
        source={**_login(source), "domains": source.identity.domains()} if scope.source else {},
        target={**_login(target), "domains": target.identity.domains(), "roles": target.identity.roles()} if scope.target else {},
    )


def _login(cloud: Cloud) -> dict[str, object]:
    return {"cloud": cloud.name, "user_id": cloud.user_id, "verified": cloud.verified}


def plan(desired: Desired, snapshot: Snapshot, goals: Goals) -> KindPlan:
    findings: list[Finding] = []
    source = desired.inventory.project
    ladder = Ladder(desired.address(KIND, source.id), source_id=source.id)
    projects = snapshot.target.projects
    if len(projects) > 1:
        findings.append(_doubled(desired, projects))
    elif not projects:
        domain = snapshot.target.domains.get(desired.manifest.target.domain, "")
        if domain:
            _create(ladder, desired, domain)
        else:
            findings.append(_missing_domain(desired))
    elif not goals.verified:
        findings += _mark(ladder, desired, projects[0])
    return KindPlan(tuple(ladder.steps), tuple(findings))


def _create(ladder: Ladder, desired: Desired, domain_id: str) -> None:
    source, target = desired.inventory.project, desired.manifest.target
    body = {
        "name": target.project,
        "domain_id": domain_id,
        "description": source.description,
        "enabled": source.enabled,
        "tags": [*own_tags(source.tags), TENANT_TAG, tag_for(source.id)],
    }
    ladder.change(
        "create",
        "the manifest's target",
        effect=Effect.CREATE,
        fields=(
            FieldChange("name", None, target.project),
            FieldChange("domain", None, target.domain),
            FieldChange("description", None, source.description),
        ),
        body=body,
    )


def _mark(ladder: Ladder, desired: Desired, project: Project) -> list[Finding]:
    findings = []
    for tag in (TENANT_TAG, tag_for(desired.inventory.project.id)):
        if tag not in project.tags:
            ladder.change(
                f"mark:{tag}",
                "a project of this name exists: it is adopted",
                fields=(FieldChange("tags", None, tag),),
                project_id=project.id,
                tag=tag,
            )
    if ladder.steps:
        findings.append(
            Finding(
                "project_adopted",
                Severity.WARNING,
                desired.address(KIND, desired.inventory.project.id),
                f"the project {project.name} ({project.id}) exists on the target and will be adopted",
                "Millpond did not create it",
                "make sure that it is meant for this tenant before you apply",
            )
        )
    return findings


def _doubled(desired: Desired, projects: tuple[Project, ...]) -> Finding:
    return Finding(
        "ambiguous_project",
        Severity.BLOCKER,
        desired.address(KIND, desired.inventory.project.id),
        f"{len(projects)} projects on the target could be this tenant's: {', '.join(p.id for p in projects)}",
        "Millpond never guesses which one is meant",
        f"remove the tag `{tag_for(desired.inventory.project.id)}` from the wrong ones",
    )


def _missing_domain(desired: Desired) -> Finding:
    return Finding(
        "missing_domain",
        Severity.BLOCKER,
        desired.address(KIND, desired.inventory.project.id),
        f"the target has no domain `{desired.manifest.target.domain}`",
        "the project cannot be created",
        "create the domain on the target, or correct target.domain in the manifest",
    )


def perform(change: Change, providers: Providers) -> None:
    values = change.parameters
    match change.action.partition(":")[0]:
        case "create":
            providers.target.identity.create_project(values["body"])
        case "mark":
            providers.target.identity.add_project_tag(values["project_id"], values["tag"])
        case other:
            raise AssertionError(other)
