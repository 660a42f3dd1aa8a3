from dataclasses import replace

import pytest

from millpond.model.change import UNKNOWN
from millpond.model.network import SecurityGroup, SecurityGroupRule
from millpond.model.snapshot import Snapshot
from millpond.reconcilers.network import security_group
from millpond.reconcilers.network.rules import key_of
from tests.reconcilers.builders import (
    DEFAULT,
    EMPTY,
    HANDED_OVER,
    INVENTORY,
    PREPARED,
    T_DEFAULT,
    T_WEB,
    WEB,
    Stage,
    body,
    change,
    codes,
    desired,
    goals,
    ids,
    snapshot,
    source,
)

REPLICATE = goals()
AUTOMATIC = SecurityGroupRule("t-auto", "t-g-web", "egress")


def with_groups(*groups: SecurityGroup) -> Snapshot:
    return snapshot(replace(PREPARED, security_groups=groups))


def test_a_group_is_made_then_marked_and_each_rule_waits_for_the_groups_in_it() -> None:
    found = security_group.plan(desired(), snapshot(EMPTY), REPLICATE)
    assert ids(found) == [
        "security_group/default#mark",
        "security_group/web#create",
        "security_group/web#mark",
        "security_group/default/egress-ipv6-any-to-any#delete_rule",
        "security_group/default/ingress-ipv6-any-from-group:default#delete_rule",
        "security_group/web/egress-ipv4-any-to-any#delete_rule",
        "security_group/web/egress-ipv6-any-to-any#delete_rule",
        "security_group/web/ingress-ipv4-tcp-443-from-any#create_rule",
        "security_group/web/ingress-ipv4-tcp-80-from-group:default#create_rule",
    ]
    assert body(found, "security_group/web#create") == {"project_id": "p-target", "description": "", "name": "web", "stateful": True}
    rule = change(found, "security_group/web/ingress-ipv4-tcp-80-from-group:default#create_rule")
    assert rule.after == ("acme/security_group/default#mark", "acme/security_group/web#mark")
    assert rule.parameters["body"]["remote_group_id"] == UNKNOWN


def test_the_default_group_is_adopted_with_the_rules_it_has() -> None:
    fresh = replace(T_DEFAULT, tags=(), marker="")
    found = security_group.plan(desired(), with_groups(fresh, T_WEB), REPLICATE)
    assert ids(found) == ["security_group/default#mark"]


def test_rules_that_came_with_a_new_group_go() -> None:
    new = replace(T_WEB, rules=(AUTOMATIC,))
    found = security_group.plan(desired(), with_groups(T_DEFAULT, new), REPLICATE)
    assert ids(found) == [
        "security_group/web/egress-ipv4-any-to-any#delete_rule",
        "security_group/web/ingress-ipv4-tcp-443-from-any#create_rule",
        "security_group/web/ingress-ipv4-tcp-80-from-group:default#create_rule",
    ]
    rule = body(found, "security_group/web/ingress-ipv4-tcp-80-from-group:default#create_rule")
    assert (rule["security_group_id"], rule["remote_group_id"]) == ("t-g-web", "t-g-default")
    assert body(found, "security_group/web/ingress-ipv4-tcp-443-from-any#create_rule") == {
        "security_group_id": "t-g-web",
        "project_id": "p-target",
        "direction": "ingress",
        "ethertype": "IPv4",
        "protocol": "tcp",
        "port_range_min": 443,
        "port_range_max": 443,
    }


def test_equal_groups_need_nothing_and_those_of_a_verified_server_are_the_tenants() -> None:
    assert security_group.plan(desired(), snapshot(), REPLICATE).steps == ()
    one_arrived = goals(Stage.HANDED_OVER, Stage.CUT, {"server-1"})
    opened = replace(T_WEB, rules=(*T_WEB.rules, AUTOMATIC))
    assert security_group.plan(desired(), with_groups(T_DEFAULT, opened), one_arrived).steps == ()


def test_groups_of_one_name_are_made_one_after_the_other() -> None:
    other = replace(WEB, id="g-web-2", rules=())
    tenant = replace(INVENTORY, security_groups=(DEFAULT, WEB, other))
    found = security_group.plan(desired(tenant), snapshot(EMPTY, source(tenant)), REPLICATE)
    made = [step for step in found.steps if step.action == "create"]
    assert made[1].after == (f"{made[0].address}#mark",)


def test_a_group_of_somebody_else_in_a_rule_is_said() -> None:
    foreign = replace(WEB, rules=(SecurityGroupRule("x", "g-web", "ingress", remote_group_id="g-of-others"),))
    found = security_group.plan(desired(replace(INVENTORY, security_groups=(DEFAULT, foreign))), snapshot(EMPTY), REPLICATE)
    assert codes(found) == ["foreign_remote_group"]


def test_a_target_without_stateless_groups_is_said() -> None:
    stateless = replace(INVENTORY, security_groups=(DEFAULT, replace(WEB, stateful=False)))
    found = security_group.plan(desired(stateless), snapshot(replace(EMPTY, extensions=frozenset())), REPLICATE)
    assert codes(found) == ["stateless_security_group"]
    assert "stateful" not in body(found, "security_group/web#create")


def test_decommissioning_leaves_default_and_what_excluded_servers_use() -> None:
    leaving = replace(HANDED_OVER, decommission=True)
    assert ids(security_group.plan(desired(), snapshot(), leaving)) == ["security_group/web#delete"]
    assert ids(security_group.plan(desired(excluded=["server-2"]), snapshot(), leaving)) == []
    late = replace(WEB, id="g-late", name="late")
    assert codes(security_group.plan(desired(), snapshot(here=source(security_groups=(late,))), leaving)) == ["late_security_group"]


def rule(**values: object) -> SecurityGroupRule:
    return SecurityGroupRule("id", "group", "ingress", **values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (rule(protocol="tcp"), rule(protocol="6")),
        (rule(protocol="TCP"), rule(protocol="tcp")),
        (rule(protocol="icmp", ethertype="IPv6"), rule(protocol="ipv6-icmp", ethertype="IPv6")),
        (rule(protocol="icmpv6", ethertype="IPv6"), rule(protocol="58", ethertype="IPv6")),
        (rule(protocol="any"), rule()),
        (rule(remote_ip_prefix="0.0.0.0/0"), rule()),
        (rule(remote_ip_prefix="::/0", ethertype="IPv6"), rule(ethertype="IPv6")),
        (rule(remote_ip_prefix="10.0.0.7/8"), rule(remote_ip_prefix="10.0.0.0/8")),
    ],
)
def test_rules_that_mean_the_same(one: SecurityGroupRule, other: SecurityGroupRule) -> None:
    assert key_of(one, "") == key_of(other, "")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (rule(protocol="icmp", port_range_min=0), rule(protocol="icmp")),
        (rule(), rule(ethertype="IPv6")),
        (rule(remote_ip_prefix="10.0.0.0/8"), rule(remote_ip_prefix="10.0.0.0/9")),
    ],
)
def test_rules_that_do_not(one: SecurityGroupRule, other: SecurityGroupRule) -> None:
    assert key_of(one, "") != key_of(other, "")
