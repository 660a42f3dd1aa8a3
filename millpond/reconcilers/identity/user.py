"""The tenant's users on the target. They are made without a password: no API returns the old one."""

from __future__ import annotations

from millpond.model.change import AnyStep, Change, Effect, FieldChange
from millpond.model.counting import told_of
from millpond.model.desired import Desired
from millpond.model.finding import Finding, Severity
from millpond.model.identity import User
from millpond.model.snapshot import Facts, Snapshot
from millpond.model.to_do import to_do
from millpond.providers.ports import Cloud, Providers
from millpond.reconcilers.base import Goals, KindPlan, Scope
from millpond.reconcilers.ladder import Ladder

KIND = "user"
READS_AFTER: tuple[str, ...] = ("project", "role_assignment")


def observe(providers: Providers, scope: Scope) -> Facts:
    assignments = scope.seen.source.role_assignments
    names = sorted({assignment.user_domain for assignment in assignments})
    mapped = sorted({providers.site.maps.domains.get(name, name) for name in names})
    there: dict[str, object] = {}
    if scope.target:
        domains = scope.seen.target.domains
        there["users"] = _users(providers.target, domains, mapped if assignments else _present(scope))
        if any(assignment.group for assignment in assignments):
            there["groups"] = providers.target.identity.groups([domains[name] for name in mapped if name in domains])
    return Facts(source={"users": _users(providers.source, scope.seen.source.domains, names)} if scope.source else {}, target=there)


def _present(scope: Scope) -> list[str]:
    """The domains of whoever works in the target project: once the source project is gone nothing else tells where its users went."""
    target = scope.seen.target
    return sorted({a.user_domain for a in target.role_assignments if not a.group and a.user_id != target.user_id})


def _users(cloud: Cloud, domains: object, names: list[str]) -> tuple[User, ...]:
    known = domains if isinstance(domains, dict) else {}
    return cloud.identity.users([known[name] for name in names if name in known])


def target_domain(desired: Desired, domain: str) -> str:
    return desired.site.maps.domains.get(domain, domain)


def existing(desired: Desired, snapshot: Snapshot, name: str, domain: str) -> User | None:
    """The target's user of that name in the mapped domain: names are unique in a domain."""
    wanted = (name, target_domain(desired, domain))
    return next((user for user in snapshot.target.users if (user.name, user.domain_name) == wanted), None)


def plan(desired: Desired, snapshot: Snapshot, goals: Goals) -> KindPlan:
    steps: list[AnyStep] = []
    findings: list[Finding] = []
    without_password: list[str] = []
    for user in desired.inventory.users:
        found = existing(desired, snapshot, user.name, user.domain_name)
        if found is None and not goals.verified:
            findings += _create(steps, desired, snapshot, user)
        if found.source_id if found else not goals.verified:
            without_password.append(user.name)
    if without_password and not goals.decommission:
        findings.append(_passwords(desired, without_password))
    return KindPlan(tuple(steps), tuple(findings))


def _create(steps: list[AnyStep], desired: Desired, snapshot: Snapshot, user: User) -> list[Finding]:
    domain = target_domain(desired, user.domain_name)
    if domain not in snapshot.target.domains:
        return [
            Finding(
                "missing_domain",
                Severity.BLOCKER,
                desired.address(KIND, user.id),
                f"the target has no domain `{domain}`",
                f"users of the source's domain `{user.domain_name}` are created in it",
                "create the domain on the target, or map it under maps.domains in millpond.yaml",
                cause=desired.address("domain", domain),
            )
        ]
    body = {
        "name": user.name,
        "domain_id": snapshot.target.domains[domain],
        "description": user.description,
        "email": user.email,
        "enabled": user.enabled,
        "millpond_source": user.id,
    }
    ladder = Ladder(desired.address(KIND, user.id), source_id=user.id)
    shown = {key: value for key, value in body.items() if value != "" and key not in ("domain_id", "millpond_source")}
    ladder.change(
        "create",
        "has a role in the tenant",
        effect=Effect.CREATE,
        fields=tuple(FieldChange(key, None, value) for key, value in sorted({**shown, "domain": domain}.items())),
        body={key: value for key, value in body.items() if value != ""},
    )
    steps += ladder.steps
    return []


def _passwords(desired: Desired, names: list[str]) -> Finding:
    return Finding(
        "users_without_password",
        Severity.INFO,
        desired.address(KIND, ""),
        f"{told_of(len(names), 'user', 'has', 'have')} no password on the target: {', '.join(sorted(names))}",
        "no API returns a password, so none can be carried; nor does one tell whether it was set since",
        to_do(
            "let them log in through your identity provider, or set one where there is none", "openstack user set --password-prompt NAME"
        ),
    )


def perform(change: Change, providers: Providers) -> None:
    providers.target.identity.create_user(change.parameters["body"])
