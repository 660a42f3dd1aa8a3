import pytest

from millpond.model.change import UNKNOWN
from millpond.model.network import SecurityGroupRule
from millpond.reconcilers.network.rules import NAMES, NUMBERS, automatic, body, key_of, prefix, protocol_number, text


def rule(**values: object) -> SecurityGroupRule:
    return SecurityGroupRule(**{"id": "r", "security_group_id": "g", "direction": "ingress", **values})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("values", "group", "said"),
    [
        ({}, "", "ingress-ipv4-any-from-any"),
        ({"protocol": "tcp", "port_range_min": 443, "port_range_max": 443}, "", "ingress-ipv4-tcp-443-from-any"),
        (
            {"protocol": "17", "port_range_min": 1, "port_range_max": 9, "remote_ip_prefix": "10.0.0.0/8"},
            "",
            "ingress-ipv4-udp-1:9-from-10.0.0.0/8",
        ),
        ({"direction": "egress", "ethertype": "IPv6", "protocol": "icmp"}, "", "egress-ipv6-ipv6-icmp-to-any"),
        ({"protocol": "icmp", "port_range_min": 8}, "", "ingress-ipv4-icmp-8:None-from-any"),
        ({"protocol": "200"}, "", "ingress-ipv4-200-from-any"),
        ({}, "g-web", "ingress-ipv4-any-from-group:web"),
        ({}, "g-gone", "ingress-ipv4-any-from-group:g-gone"),
    ],
)
def test_a_rule_in_words(values: dict[str, object], group: str, said: str) -> None:
    assert text(key_of(rule(**values), group), {"g-web": "web"}) == said


def test_a_body_says_what_is_set_and_nothing_else() -> None:
    assert body(rule(), "t-g", "", "p") == {"security_group_id": "t-g", "project_id": "p", "direction": "ingress", "ethertype": "IPv4"}
    whole = rule(
        protocol="6", port_range_min=0, port_range_max=22, remote_ip_prefix="10.1.2.3/8", description="ssh", remote_group_id="g-other"
    )
    assert body(whole, "t-g", "t-other", "p") == {
        "security_group_id": "t-g",
        "project_id": "p",
        "direction": "ingress",
        "ethertype": "IPv4",
        "protocol": "tcp",
        "port_range_min": 0,
        "port_range_max": 22,
        "remote_ip_prefix": "10.0.0.0/8",
        "remote_group_id": "t-other",
        "description": "ssh",
    }


def test_the_whole_internet_is_no_prefix() -> None:
    assert [prefix(text) for text in ("", "0.0.0.0/0", "::/0", "192.0.2.1", "2001:DB8::/32")] == [
        "",
        "",
        "",
        "192.0.2.1/32",
        "2001:db8::/32",
    ]


@pytest.mark.parametrize("name", sorted(NUMBERS))
def test_a_protocol_is_the_same_by_name_and_by_number(name: str) -> None:
    number = NUMBERS[name]
    assert protocol_number(name, "IPv6") == protocol_number(number, "IPv6")
    assert protocol_number(name.upper(), "IPv4") == number
    assert NUMBERS[NAMES[number]] == number


def test_what_neutron_gives_to_a_new_group() -> None:
    plain = automatic("g", is_default=False)
    assert {(r.direction, r.ethertype, r.remote_group_id) for r in plain} == {("egress", "IPv4", ""), ("egress", "IPv6", "")}
    inside = automatic("g", is_default=True)[2:]
    assert {(r.direction, r.ethertype, r.remote_group_id) for r in inside} == {("ingress", "IPv4", "g"), ("ingress", "IPv6", "g")}
    assert {r.id for r in (*plain, *inside)} == {UNKNOWN}
