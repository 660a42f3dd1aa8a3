from dataclasses import replace

from millpond.model.network import AllocationPool, FixedIP, Port
from millpond.reconcilers.network.fence import choose, pools, standing
from millpond.reconcilers.network.subnet_pools import reservations
from tests.reconcilers.builders import FENCE, INVENTORY, SUBNET, T_SUBNET, desired, nic, t_nic

SMALL = replace(SUBNET, allocation_pools=(AllocationPool("10.0.0.10", "10.0.0.14"),))


def on_target(number: int, last: int, **values: object) -> Port:
    return Port(f"t-{number}", "", "t-n-app", f"fa:16:3e:0a:00:{number:02x}", (FixedIP("t-s-app", f"10.0.0.{last}"),), **values)  # type: ignore[arg-type]


def test_what_stands_is_counted_and_nothing_is_asked_for_twice() -> None:
    fence = choose(SUBNET, (*INVENTORY.ports, *FENCE), T_SUBNET, (), 4)
    assert (fence.lacking, fence.short) == ((), 0)
    assert fence.addresses == ["10.0.0.251", "10.0.0.252", "10.0.0.253", "10.0.0.254"]
    assert standing(SUBNET, FENCE)["10.0.0.251"] == "fence-251"
    assert standing(replace(SUBNET, id="s-other"), FENCE) == {}


def test_addresses_in_use_on_either_side_and_the_gateway_are_no_fence() -> None:
    subnet = replace(SMALL, gateway_ip="10.0.0.14")
    fence = choose(subnet, (nic(1, fixed_ips=(FixedIP("s-app", "10.0.0.13"),)),), T_SUBNET, (on_target(1, 12, marker="port-9"),), 2)
    assert fence.lacking == ("10.0.0.11", "10.0.0.10")


def test_what_is_missing_is_counted() -> None:
    fence = choose(SMALL, (nic(1), nic(2)), None, (), 4)
    assert (fence.lacking, fence.short) == (("10.0.0.14", "10.0.0.13", "10.0.0.10"), 1)


def test_what_only_the_target_uses_counts_into_the_fence_and_our_twins_do_not() -> None:
    there = (on_target(1, 14), on_target(2, 13), t_nic(1), on_target(3, 99))
    fence = choose(SMALL, (nic(1),), T_SUBNET, there, 2)
    assert fence.lacking == ("10.0.0.14", "10.0.0.13")
    assert choose(SMALL, (nic(1),), T_SUBNET, there, 3).lacking == ("10.0.0.14", "10.0.0.13", "10.0.0.12")


def test_pools_are_compared_in_the_order_of_their_numbers() -> None:
    mixed = (AllocationPool("10.0.0.100", "10.0.0.110"), AllocationPool("10.0.0.9", "10.0.0.20"))
    assert [row["start"] for row in pools(mixed)] == ["10.0.0.9", "10.0.0.100"]


def test_a_reservation_is_named_after_its_subnet_and_address() -> None:
    fence = choose(SMALL, (), None, (), 2)
    assert reservations(desired(), SMALL, fence) == ("acme/subnet/app-v4/10.0.0.14#reserve", "acme/subnet/app-v4/10.0.0.13#reserve")
