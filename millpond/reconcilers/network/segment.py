"""The switch of a segment's gateway: off on one side, on on the other, never live on both.

Onward: twin ports of the interfaces first, so that nothing of the source is lost; a tag on the source's routers; routes, floating IPs,
gateway and interfaces off on the source; its external address parked there; all of it on on the target; the tag says done.
Back: the mirror image. Whatever a crash leaves behind is told from the tag, the twin ports and the two sides themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial

from millpond.model.address import Address, Side
from millpond.model.change import AnyStep, Change
from millpond.model.desired import Desired
from millpond.model.finding import STRANDED, Finding, Severity
from millpond.model.marker import SWITCHED_TAG, SWITCHING_TAG
from millpond.model.plan import BACK
from millpond.model.snapshot import Facts, Snapshot
from millpond.model.to_do import to_do
from millpond.providers.ports import Providers
from millpond.providers.together import together
from millpond.reconcilers.base import Goals, KindPlan, Scope
from millpond.reconcilers.invariants import cut_stands
from millpond.reconcilers.network import neutron_calls
from millpond.reconcilers.network import switch_rungs as rungs
from millpond.reconcilers.network.floating_ip import segment_of
from millpond.reconcilers.network.invariants_network import only_gateway
from millpond.reconcilers.network.segments import Direction, Phase, live_on_source, live_on_target, standings
from millpond.reconcilers.network.switch import KIND, Half, Switch, place
from millpond.reconcilers.twins import by_id
from millpond.reconcilers.usage import usage

__all__ = ["KIND", "READS_AFTER", "observe", "perform", "plan"]

READS_AFTER: tuple[str, ...] = ("router", "port", "floating_ip")


def observe(providers: Providers, scope: Scope) -> Facts:
    """Nothing of its own: routers, ports and floating IPs are read by their kinds."""
    return Facts()


def plan(desired: Desired, snapshot: Snapshot, goals: Goals) -> KindPlan:
    steps: list[AnyStep] = []
    findings: list[Finding] = []
    everything = standings(desired, snapshot, goals)
    places = segment_of(desired, everything)
    for standing in everything:
        if not standing.segment.routers or standing.direction is Direction.HELD:
            continue
        switch = Switch(desired, snapshot, standing, tuple(one for one in desired.inventory.floating_ips if places.get(one.id) is standing))
        blockers = list(_two_gateways(switch))
        if not blockers and not _leads_to_target(switch):
            blockers = list(_gone_from_source(switch))
            steps += [] if blockers else chained([_by_its_cut(switch, goals, layer) for layer in back(switch)])
        elif not blockers and standing.phase is not Phase.SWITCHED:
            blockers = [*_late(switch), *_on_excluded_networks(switch)]
            steps += chained(onward(switch))
        findings += [*blockers, *_left_behind(switch)]
    return KindPlan(tuple(steps), tuple(findings))


def _leads_to_target(switch: Switch) -> bool:
    """While the waves of a segment differ, its gateway stays where it is; one that was on its way goes where its twin ports are."""
    direction, phase = switch.standing.direction, switch.standing.phase
    if direction is Direction.STAY and phase is Phase.SWITCHING:
        target = Half(switch, Side.TARGET)
        return any(target.port(interface) for interface in switch.interfaces)
    return direction is Direction.ONWARD or (direction is Direction.STAY and phase is Phase.SWITCHED)


def onward(switch: Switch) -> list[list[Change]]:
    source, target = Half(switch, Side.SOURCE), Half(switch, Side.TARGET)
    return [
        list(rungs.create_ports(target)),
        list(rungs.mark_ports(target)),
        list(rungs.tag_routers(switch, "begin", "what follows is the migration's doing, not the tenant's", SWITCHING_TAG)),
        [*rungs.clear_routes(source), *rungs.dissociate(source, target)],
        [*rungs.clear_gateways(source, target), *rungs.detach(source, target)],
        [*rungs.park_gateways(switch), *rungs.attach(target, source), *rungs.set_gateways(target, source)],
        [*rungs.set_routes(target), *rungs.associate(target)],
        list(rungs.tag_routers(switch, "finish", "the gateway is on the target", SWITCHED_TAG)),
    ]


def back(switch: Switch) -> list[list[Change]]:
    """Before the switch has begun there is nothing to undo but twin ports that were made for it."""
    source, target = Half(switch, Side.SOURCE), Half(switch, Side.TARGET)
    if switch.standing.phase is Phase.SOURCE:
        return [list(rungs.delete_ports(target))]
    return [
        list(rungs.tag_routers(switch, "begin_back", "what follows is the migration's doing, not the tenant's", SWITCHING_TAG)),
        [*rungs.create_ports(source), *rungs.clear_routes(target), *rungs.dissociate(target, source)],
        [*rungs.clear_gateways(target, source), *rungs.detach(target, source), *rungs.delete_ports(target)],
        [*rungs.release_gateways(switch), *rungs.attach(source, target)],
        list(rungs.set_gateways(source, target)),
        [*rungs.set_routes(source), *rungs.associate(source)],
        list(rungs.tag_routers(switch, "finish_back", "the gateway is on the source", "")),
    ]


def _by_its_cut(switch: Switch, goals: Goals, layer: Iterable[Change]) -> list[Change]:
    """The way back names one of the cuts that it undoes: their records are removed after `finish_back`, so that any of them tells."""
    here = by_id(switch.snapshot.source.servers)
    found = ((id, here[id].record) for id in switch.standing.servers if id in here and goals.stage(id) in BACK)
    cuts = dict([(id, record.cut) for id, record in found if record and record.cut][:1]) if goals.run else {}
    return [replace(step, parameters={**step.parameters, "cuts": cuts}) if cuts else step for step in layer]


def chained(layers: Sequence[Sequence[Change]]) -> list[AnyStep]:
    """Every step of a layer after all steps of the last layer before it that has any."""
    steps: list[AnyStep] = []
    before: tuple[str, ...] = ()
    for layer in layers:
        steps += [replace(step, after=(*step.after, *before)) for step in layer]
        before = tuple(step.id for step in layer) or before
    return steps


def _finding(switch: Switch, code: str, severity: Severity, what: str, why: str, fix: str = "") -> Finding:
    return Finding(code, severity, Address(switch.desired.tenant, KIND, switch.standing.segment.name), what, why, fix)


def _two_gateways(switch: Switch) -> Iterable[Finding]:
    segment, snapshot = switch.standing.segment, switch.snapshot
    if live_on_source(segment, snapshot) and live_on_target(segment, snapshot):
        yield _finding(
            switch,
            "two_gateways",
            Severity.BLOCKER,
            "the segment has a live gateway on both clouds at once",
            "router interfaces of the same network are attached on the source and on the target",
            "detach the interfaces of one side; Millpond does nothing by itself here",
        )


def _gone_from_source(switch: Switch) -> Iterable[Finding]:
    source = Half(switch, Side.SOURCE)
    for router in switch.routers if switch.standing.phase is not Phase.SOURCE else ():
        if source.router(router.id) is None:
            yield _finding(
                switch,
                "router_gone",
                Severity.BLOCKER,
                f"the router {router.name or router.id} is gone from the source",
                "the gateway of the segment cannot go back to it",
                to_do(
                    "leave the segment on the target, or make a router of this name on the source and take it into the inventory",
                    f"millpond discover {switch.desired.tenant}",
                ),
            )


def _late(switch: Switch) -> Iterable[Finding]:
    """What the inventory does not name and the switch would trip over."""
    segment, source = switch.standing.segment, switch.snapshot.source
    known = {one.id for one in switch.desired.inventory.floating_ips}
    found = [f"floating IP {f.floating_ip_address}" for f in source.floating_ips if f.router_id in segment.routers and f.id not in known]
    legs = rungs.strangers(Half(switch, Side.SOURCE), live_on_source(segment, switch.snapshot))
    for what in [*found, *(f"router interface {place(leg)}" for leg in legs)]:
        yield _finding(
            switch,
            "late_on_segment",
            Severity.BLOCKER,
            f"the segment has what is not in the inventory: {what}",
            "the switch of the gateway would lose it",
            to_do("take it into the inventory, and have the diff reviewed and merged", f"millpond discover {switch.desired.tenant}"),
        )


def _left_behind(switch: Switch) -> Iterable[Finding]:
    """Told from the first plan on, and until the source is gone: who excludes a server must know it early enough."""
    inventory = switch.desired.inventory
    on_network = usage(inventory).on_network
    names = {s.id: s.name or s.id for s in inventory.servers if s.id in switch.desired.excluded}
    stay = {id for network in switch.standing.segment.networks for id in on_network.get(network, ()) if id in names}
    left = sorted(names[id] for id in stay)
    if left:
        from_images = any(server.image_id for server in inventory.servers if server.id in stay)
        gone = switch.standing.phase is Phase.SWITCHED
        yield _finding(
            switch,
            STRANDED,
            Severity.WARNING,
            f"excluded servers stay on a segment whose gateway {'is on the target' if gone else 'moves'}: {', '.join(left)}",
            "once the network is no longer stretched they have none, and decommissioning deletes its router on the source"
            if gone
            else "from the switch on their gateway is on the target; once the network is no longer stretched they have none",
            "give them a network with a router of their own on the source and run discover, or take them into the migration"
            + (_IMAGE_BOOTED if from_images else ""),
        )


_IMAGE_BOOTED = ": what boots from an image only once its root disk is a volume"


def _on_excluded_networks(switch: Switch) -> Iterable[Finding]:
    """A router has one gateway: it cannot move with one network and stay with another."""
    desired = switch.desired
    legs = (port for port in desired.inventory.router_ports if port.device_id in switch.standing.segment.routers)
    shared = {port.network_id for port in legs if port.network_id in desired.excluded}
    used = {port.network_id for port in desired.inventory.ports if port.device_id and port.network_id in shared}
    if used:
        names = ", ".join(sorted(desired.names.get(id, id) for id in used))
        yield _finding(
            switch,
            "excluded_network_loses_gateway",
            Severity.BLOCKER,
            f"excluded networks share a router whose gateway moves: {names}",
            "from the switch on the router has no external gateway on the source, and what stays there has no uplink",
            "give the excluded networks a router of their own on the source and run discover, or take them into the migration",
        )


def perform(change: Change, providers: Providers) -> None:
    """Raises InvariantBroken, before anything is sent, where the other side has not let go; LeaseHeld where what goes back has gone."""
    proofs = [only_gateway] if change.action in ("attach", "set_gateway") else []
    together([partial(proof, change, providers) for proof in (*proofs, cut_stands)])
    neutron_calls.perform(change, providers)
