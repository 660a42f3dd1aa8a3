"""The rungs of a fence.

An address is reserved on the source before the target may give it away, and freed after the target has its real pools.
"""

from __future__ import annotations

from collections.abc import Iterable

from millpond.model.address import Address, Side
from millpond.model.change import UNKNOWN, AnyStep, Effect, FieldChange
from millpond.model.desired import Desired
from millpond.model.marker import FENCE_NAME, FENCE_OWNER
from millpond.model.network import Subnet
from millpond.model.snapshot import Snapshot
from millpond.reconcilers.ladder import Ladder
from millpond.reconcilers.network.fence import Fence, pools, ranges
from millpond.reconcilers.network.segments import Direction, Standing
from millpond.reconcilers.twins import only

KIND = "subnet"


def _address(desired: Desired, subnet: Subnet, address: str) -> Address:
    return Address(desired.tenant, KIND, f"{desired.address(KIND, subnet.id).name}/{address}")


def _ladder(desired: Desired, subnet: Subnet, address: str, servers: tuple[str, ...], first: tuple[str, ...] = ()) -> Ladder:
    return Ladder(_address(desired, subnet, address), source_id=subnet.id, servers=servers, side=Side.SOURCE, first=first)


def reservations(desired: Desired, subnet: Subnet, fence: Fence) -> tuple[str, ...]:
    """The ids of the steps that must be done before the twin may have the fence's pools."""
    return tuple(f"{_address(desired, subnet, address)}#reserve" for address in fence.lacking)


def reserve(desired: Desired, subnet: Subnet, fence: Fence, standing: Standing) -> Iterable[AnyStep]:
    for address in fence.lacking:
        ladder = _ladder(desired, subnet, address, standing.servers)
        body = {
            "network_id": subnet.network_id,
            "name": FENCE_NAME,
            "device_owner": FENCE_OWNER,
            "fixed_ips": [{"subnet_id": subnet.id, "ip_address": address}],
            "security_groups": [],
        }
        ladder.change(
            "reserve",
            "the target may give this address away while the network is stretched",
            effect=Effect.CREATE,
            fields=(FieldChange("ip_address", None, address),),
            destination="reserved",
            call="create",
            resource="port",
            body=body,
        )
        yield from ladder.steps


def free(desired: Desired, subnet: Subnet, fence: Fence, servers: tuple[str, ...], first: tuple[str, ...]) -> Iterable[AnyStep]:
    for address in fence.addresses:
        ladder = _ladder(desired, subnet, address, servers, first)
        ladder.change(
            "free",
            "the segment has settled on the target",
            effect=Effect.DELETE,
            fields=(FieldChange("ip_address", address, None),),
            destination="free",
            call="delete",
            resource="port",
            id=fence.standing.get(address, UNKNOWN),
        )
        yield from ladder.steps


def switch_pools(desired: Desired, snapshot: Snapshot, subnet: Subnet, fence: Fence, standing: Standing) -> list[AnyStep]:
    """`fence` narrows the pools of the twin to the reserved addresses, `open` gives it the real ones; a new subnet is made narrow."""
    if not fence.addresses:
        return []
    twin = only(snapshot.target.subnets, subnet.id)
    narrow, real = ranges(fence.addresses), pools(subnet.allocation_pools)
    has = pools(twin.allocation_pools) if twin else narrow
    made = () if twin else (f"{desired.address(KIND, subnet.id)}#mark",)
    first = (*reservations(desired, subnet, fence), *made)
    ladder = Ladder(desired.address(KIND, subnet.id), source_id=subnet.id, servers=standing.servers, first=first)
    if twin and not standing.settled and has != narrow:
        set_pools(ladder, "fence", "the network is stretched: only reserved addresses are given away", twin.id, has, narrow)
        has = narrow
    steps = ladder.steps
    if standing.direction is Direction.ONWARD:
        if has != real:
            set_pools(ladder, "open", "no server of the segment is left on the source", twin.id if twin else UNKNOWN, has, real)
        steps += free(desired, subnet, fence, standing.servers, tuple(step.id for step in ladder.steps))
    return steps


def set_pools(ladder: Ladder, action: str, reason: str, id: str, before: list[dict[str, str]], after: list[dict[str, str]]) -> None:
    ladder.change(
        action,
        reason,
        fields=(FieldChange("allocation_pools", before, after),),
        destination="fenced" if action == "fence" else "real pools",
        call="update",
        resource=KIND,
        id=id,
        body={"allocation_pools": after},
    )
