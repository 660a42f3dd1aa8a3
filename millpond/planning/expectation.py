"""What is said of a cutover when its servers are about to be stopped, kept so that it can be held against what became of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from millpond.model.change import AnyStep, Change
from millpond.model.cutover import Expectation, ExpectedStep
from millpond.model.desired import Desired
from millpond.model.plan import TenantPlan
from millpond.planning.estimate import typical
from millpond.reconcilers.twins import by_id

ENDS = ("verify", "start")


def expectations(desired: Desired, plan: TenantPlan, ready: Iterable[Change]) -> Iterator[Expectation]:
    """One per wave of which a server is about to be stopped by one of `ready`."""
    stops = [change for change in ready if change.kind in ("source_server", "server") and change.action == "stop"]
    outage = dict(plan.outage.servers)
    for wave in dict.fromkeys(stop.wave for stop in stops):
        steps = _until_the_end([step for step in plan.steps if step.wave == wave])
        ends = [step for step in steps if step.kind == "source_server" and step.action == "start"]  # of one whose copy never ran, too
        ours = {str(desired.address("server", id)) for each in (*stops, *ends) if each.wave == wave for id in each.servers}
        yield Expectation(
            wave=wave,
            servers=tuple((address, seconds) for address, seconds in outage.items() if address in ours),
            critical_path=plan.outage.critical_path,
            steps=tuple(_expected(desired, step, {each.id for each in steps}) for step in steps),
        )


def _until_the_end(steps: Sequence[AnyStep]) -> list[AnyStep]:
    """Those that the return of a server waits for, directly or not, and itself."""
    known = {step.id: step for step in steps}
    wanted = [step.id for step in steps if step.kind == "source_server" and step.action in ENDS]
    seen = set(wanted)
    for id in wanted:  # grows
        for earlier in known[id].after:
            if earlier in known and earlier not in seen:
                seen.add(earlier)
                wanted.append(earlier)
    return [step for step in steps if step.id in seen]


def _expected(desired: Desired, step: AnyStep, known: set[str]) -> ExpectedStep:
    servers = by_id(desired.inventory.servers)
    concerned = tuple(str(desired.address("server", id)) for id in step.servers if id in servers)
    return ExpectedStep(step.id, tuple(id for id in step.after if id in known), concerned, typical(step))
