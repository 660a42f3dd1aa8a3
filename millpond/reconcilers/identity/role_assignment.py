"""Who may do what in the target project; and the role that lets Millpond itself work in it."""

from __future__ import annotations

from millpond.model.change import UNKNOWN, AnyStep, Change, Effect, FieldChange
from millpond.model.desired import Desired
from millpond.model.finding import Finding, Severity
from millpond.model.identity import Group, RoleAssignment, User
from millpond.model.snapshot import Facts, Snapshot
from millpond.providers.ports import Providers
from millpond.reconcilers.base import Goals, KindPlan, Scope
from millpond.reconcilers.identity.user import existing, target_domain
from millpond.reconcilers.ladder import Ladder

KIND = "role_assignment"
READS_AFTER: tuple[str, ...] = ("project",)
OWN = "millpond"
OWN_ROLE = "admin"


def observe(providers: Providers, scope: Scope) -> Facts:
    there: dict[str, object] = {}
    if scope.target and scope.target_project:
        there = {"role_assignments": providers.target.identity.role_assignments(scope.target_project)}
    return Facts(
        source={"role_assignments": providers.source.identity.role_assignments(scope.source_project)} if scope.source else {},
        target=there,
    )


def plan(desired: Desired, snapshot: Snapshot, goals: Goals) -> KindPlan:
    steps: list[AnyStep] = []
    findings: list[Finding] = []
    held = {(a.user_id, a.role) for a in snapshot.target.role_assignments}
    project = snapshot.target.project.id if snapshot.target.project else UNKNOWN
    if (snapshot.target.user_id, OWN_ROLE) not in held and not goals.decommission:
        steps += _assign(desired, OWN, OWN_ROLE, snapshot, project, snapshot.target.user_id, "Millpond works in the tenant's project")
    if goals.verified:
        return KindPlan(tuple(steps))
    for assignment in desired.inventory.role_assignments:
        role = desired.site.maps.roles.get(assignment.role, assignment.role)
        if role not in snapshot.target.roles:
            findings.append(_missing(desired, assignment.user, assignment.role, role))
            continue
        holder = _holder(desired, snapshot, assignment)
        if holder is None and assignment.group:
            findings.append(_missing_group(desired, assignment))
        elif holder is None or (holder.id, role) not in held:
            name = f"{assignment.user}:{role}"
            reason = f"the {'group' if assignment.group else 'user'} has it on the source"
            holder_id = holder.id if holder else UNKNOWN
            steps += _assign(desired, name, role, snapshot, project, holder_id, reason, assignment.user_id, group=assignment.group)
    return KindPlan(tuple(steps), tuple(findings))


def _holder(desired: Desired, snapshot: Snapshot, assignment: RoleAssignment) -> User | Group | None:
    if not assignment.group:
        return existing(desired, snapshot, assignment.user, assignment.user_domain)
    wanted = (assignment.user, target_domain(desired, assignment.user_domain))
    return next((group for group in snapshot.target.groups if (group.name, group.domain_name) == wanted), None)


def _missing_group(desired: Desired, assignment: RoleAssignment) -> Finding:
    domain = target_domain(desired, assignment.user_domain)
    return Finding(
        "missing_group",
        Severity.WARNING,
        desired.address(KIND, f"{assignment.user}:{assignment.role}"),
        f"the target has no group `{assignment.user}` in domain `{domain}`",
        f"the group has the role `{assignment.role}` in the tenant; who is in it comes from your directory, not from Millpond",
        "create the group on the target; the next apply gives it the role",
    )


def _assign(
    desired: Desired,
    name: str,
    role: str,
    snapshot: Snapshot,
    project: str,
    user_id: str,
    reason: str,
    source_id: str = "",
    *,
    group: bool = False,
) -> list[AnyStep]:
    ladder = Ladder(desired.address(KIND, name), source_id=source_id)
    ladder.change(
        "assign",
        reason,
        effect=Effect.CREATE,
        fields=(FieldChange("role", None, role),),
        project_id=project,
        user_id=user_id,
        role_id=snapshot.target.roles.get(role, UNKNOWN),
        group=group,
    )
    return ladder.steps


def _missing(desired: Desired, user: str, role: str, mapped: str) -> Finding:
    return Finding(
        "missing_role",
        Severity.BLOCKER,
        desired.address(KIND, f"{user}:{role}"),
        f"the target has no role `{mapped}`",
        "a user or group has it in the tenant"
        if mapped == role
        else f"maps.roles in millpond.yaml maps `{role}` to it, which a user or group has in the tenant",
        f"create the role on the target, or map `{role}` to another one under maps.roles in millpond.yaml",
        cause=desired.address("role", mapped),
    )


def perform(change: Change, providers: Providers) -> None:
    values = change.parameters
    identity = providers.target.identity
    assign = identity.assign_group_role if values["group"] else identity.assign_role
    assign(values["project_id"], values["user_id"], values["role_id"])
