"""Security groups with their rules. Each project has its own `default`: it is adopted, not created.

A rule that refers to a group waits for that group's twin. Rules that the source does not have (those that Neutron gives to a new group) go.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from millpond.model.address import Address
from millpond.model.change import UNKNOWN, AnyStep, Effect, FieldChange
from millpond.model.desired import Desired
from millpond.model.finding import Finding, Severity
from millpond.model.network import SecurityGroup, SecurityGroupRule
from millpond.model.snapshot import Facts, Snapshot
from millpond.providers.ports import Providers
from millpond.reconcilers.base import Goals, KindPlan, Scope
from millpond.reconcilers.ladder import Ladder
from millpond.reconcilers.network.mapping import target_project
from millpond.reconcilers.network.neutron import LEAVING, Wanted, climb, removal
from millpond.reconcilers.network.neutron_calls import perform
from millpond.reconcilers.network.rules import RuleKey, automatic, body, key_of, text
from millpond.reconcilers.twins import Candidates, by_id, marked, only
from millpond.reconcilers.unlisted import late
from millpond.reconcilers.usage import is_tenants, kept_groups, usage

__all__ = ["KIND", "READS_AFTER", "observe", "perform", "plan"]

KIND = "security_group"
READS_AFTER: tuple[str, ...] = ("project",)

DEFAULT = "default"


def observe(providers: Providers, scope: Scope) -> Facts:
    return Facts(
        source={"security_groups": providers.source.network.security_groups(scope.source_project)} if scope.source else {},
        target={"security_groups": providers.target.network.security_groups(scope.target_project) if scope.target_project else ()}
        if scope.target
        else {},
    )


def plan(desired: Desired, snapshot: Snapshot, goals: Goals) -> KindPlan:
    if goals.decommission:
        return _decommission(desired, snapshot)
    in_group = usage(desired.inventory).in_group
    groups = [group for group in desired.inventory.security_groups if not is_tenants(goals, in_group.get(group.id, ()))]
    stateful = "stateful-security-group" in snapshot.target.extensions
    shells = climb(
        KIND,
        [_wanted(desired, snapshot, group, in_group.get(group.id, ()), stateful=stateful) for group in groups],
        tuple(snapshot.target.security_groups),
        lambda found: (found.project_id, found.name),
        lambda found: {"name": found.name, "description": found.description, "stateful": found.stateful},
    )
    marks = {step.source_id: step.id for step in shells.steps if step.action == "mark"}
    steps, findings = list(shells.steps), list(shells.findings)
    twins = _twins(desired, snapshot)
    for group in groups:
        rules = _rules(desired, snapshot, group, twins, marks)
        steps += rules.steps
        findings += rules.findings
    if not stateful:
        findings += [_stateless(desired, group) for group in groups if not group.stateful]
    return KindPlan(tuple(steps), tuple(findings))


def _wanted(desired: Desired, snapshot: Snapshot, group: SecurityGroup, servers: tuple[str, ...], *, stateful: bool) -> Wanted:
    """Neutron refuses to name a group `default`, and makes that one when the project is first touched."""
    project = target_project(snapshot)
    fields: dict[str, Any] = {"description": group.description}
    if group.name != DEFAULT:
        fields["name"] = group.name
        if stateful:
            fields["stateful"] = group.stateful
    return Wanted(
        source_id=group.id,
        address=desired.address(KIND, group.id),
        key=(project, group.name),
        fields=fields,
        fixed={"project_id": project},
        tags=group.tags,
        servers=servers,
        made_by_cloud=group.name == DEFAULT,
    )


def _rules(
    desired: Desired, snapshot: Snapshot, group: SecurityGroup, twins: Mapping[str, SecurityGroup], marks: Mapping[str, str]
) -> KindPlan:
    """Rules are compared with the source's ids of groups in them."""
    own = by_id(desired.inventory.security_groups)
    wanted = {key_of(rule, rule.remote_group_id): rule for rule in group.rules}
    found = _found(group, twins)
    steps: list[AnyStep] = []
    findings: list[Finding] = []
    for key, rule in found.items():
        if key not in wanted:
            steps += _remove(desired, snapshot, group, key, rule, marks)
    for key, rule in wanted.items():
        if rule.remote_group_id and rule.remote_group_id not in own:
            findings.append(_foreign(desired, group, key))
        elif key not in found:
            steps += _add(desired, snapshot, group, key, rule, marks)
    return KindPlan(tuple(steps), tuple(findings))


def _twins(desired: Desired, snapshot: Snapshot) -> dict[str, SecurityGroup]:
    """source id → the group on the target, also one that is about to be adopted."""
    project, here = target_project(snapshot), snapshot.target.security_groups
    candidates = Candidates.among(here, lambda group: (group.project_id, group.name))
    twins = {}
    for group in desired.inventory.security_groups:
        found = marked(here, group.id) or candidates.take((project, group.name))
        if len(found) == 1:
            twins[group.id] = found[0]
    return twins


def _found(group: SecurityGroup, twins: Mapping[str, SecurityGroup]) -> dict[RuleKey, SecurityGroupRule]:
    """The rules of the group on the target; of one that is still to be made, those that Neutron will give it."""
    if group.id not in twins:
        return {key_of(rule, rule.remote_group_id): rule for rule in automatic(group.id, is_default=group.name == DEFAULT)}
    origin = {twin.id: source_id for source_id, twin in twins.items()}
    return {key_of(rule, origin.get(rule.remote_group_id, rule.remote_group_id)): rule for rule in twins[group.id].rules}


def _ladder(desired: Desired, group: SecurityGroup, key: RuleKey, first: Iterable[str]) -> Ladder:
    name = f"{desired.address(KIND, group.id).name}/{text(key, desired.names)}"
    return Ladder(Address(desired.tenant, KIND, name), source_id=group.id, first=tuple(first))


def _remove(
    desired: Desired, snapshot: Snapshot, group: SecurityGroup, key: RuleKey, rule: SecurityGroupRule, marks: Mapping[str, str]
) -> list[AnyStep]:
    ladder = _ladder(desired, group, key, [marks[group.id]] if group.id in marks else [])
    ladder.change(
        "delete_rule",
        "the group does not have this rule on the source",
        effect=Effect.DELETE,
        fields=(FieldChange("rule", text(key, desired.names), None),),
        destination="absent",
        call="delete",
        resource="security_group_rule",
        id=rule.id,
        project_id=target_project(snapshot),
    )
    return ladder.steps


def _add(
    desired: Desired, snapshot: Snapshot, group: SecurityGroup, key: RuleKey, rule: SecurityGroupRule, marks: Mapping[str, str]
) -> list[AnyStep]:
    ladder = _ladder(desired, group, key, sorted({marks[id] for id in (group.id, rule.remote_group_id) if id in marks}))
    peer = _twin_id(snapshot, rule.remote_group_id) if rule.remote_group_id else ""
    ladder.change(
        "create_rule",
        "the group has this rule on the source",
        effect=Effect.CREATE,
        fields=(FieldChange("rule", None, text(key, desired.names)),),
        destination="present",
        call="create",
        resource="security_group_rule",
        body=body(rule, _twin_id(snapshot, group.id), peer, target_project(snapshot)),
    )
    return ladder.steps


def _twin_id(snapshot: Snapshot, source_id: str) -> str:
    found = only(snapshot.target.security_groups, source_id)
    return found.id if found else UNKNOWN


def _foreign(desired: Desired, group: SecurityGroup, key: RuleKey) -> Finding:
    return Finding(
        "foreign_remote_group",
        Severity.WARNING,
        desired.address(KIND, group.id),
        f"the rule {text(key, desired.names)} refers to a security group that is not the tenant's, and is not carried",
        "a group of another project has no twin here",
        "add a rule with the addresses that are meant, on the target",
    )


def _stateless(desired: Desired, group: SecurityGroup) -> Finding:
    return Finding(
        "stateless_security_group",
        Severity.WARNING,
        desired.address(KIND, group.id),
        "the group is stateless on the source and becomes stateful",
        "the target does not offer the extension stateful-security-group",
    )


def _decommission(desired: Desired, snapshot: Snapshot) -> KindPlan:
    """`default` goes with the project."""
    known = by_id(desired.inventory.security_groups)
    kept = kept_groups(desired)
    own = [group for group in snapshot.source.security_groups if group.name != DEFAULT and group.project_id == desired.inventory.project.id]
    steps = [
        removal(KIND, desired.address(KIND, group.id), group.id, LEAVING, source_id=group.id)
        for group in own
        if group.id in known and group.id not in kept
    ]
    unknown = [late(desired.address(KIND, group.id), KIND, group.id, group.name) for group in own if group.id not in known]
    return KindPlan(tuple(steps), tuple(unknown))
