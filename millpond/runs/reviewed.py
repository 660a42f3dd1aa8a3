"""Whether documents, tool and clouds are still those that a plan was made with: judged before anything is sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from millpond import __version__
from millpond.errors import ExitCode, MillpondError, StalePlan
from millpond.model.desired import Desired
from millpond.model.plan import Plan, Stage, TenantPlan
from millpond.planning.digest import plan_digest, tenant_digest

WRITES = (Stage.DISCARD.value, Stage.CARRY_BACK.value)
BACK = (Stage.RETURN, Stage.DISCARD, Stage.CARRY_BACK)
AGAIN = "millpond plan -o plan.json"


class NotApplyable(MillpondError):
    """A plan with blockers or errors is there to be read."""

    summary = "The saved plan cannot be applied"
    exit_code = ExitCode.HELD


class PlannedWithErrors(NotApplyable):
    exit_code = ExitCode.ERROR


class OtherDigest(StalePlan):
    """There may be no saved plan: the digest alone was reviewed."""

    summary = "The documents have another digest than was expected"


def expect_digest(tenants: Sequence[Desired], wanted: str) -> None:
    """OtherDigest unless the documents of all these tenants together, or of one of them, have this digest."""
    digests = {desired.tenant: tenant_digest(desired) for desired in tenants}
    found = plan_digest(digests.values())
    if wanted in (found, *digests.values()):
        return
    each = "".join(f"\n  {tenant}: {digest}" for tenant, digest in digests.items())
    raise OtherDigest(
        f"the documents lead elsewhere than was reviewed:\n  expected: {wanted}\n  now:      {found}, of all that apply was given"
        f"\nThe tenants by themselves:{each}",
        fix="The documents, the site file or the tenants that were named differ from what was reviewed. Make the plan again, have it "
        "reviewed, and expect the digest that it prints:",
        command=AGAIN,
    )


def expect_reviewed(tenants: Sequence[Desired], saved: Plan) -> None:
    """StalePlan or NotApplyable unless `saved` may be applied to these documents."""
    if _major(saved.tool_version) != _major(__version__):
        raise _stale(f"Millpond {saved.tool_version} made it, this is {__version__}: changes may mean something else by now")
    digests = {desired.tenant: tenant_digest(desired) for desired in tenants}
    moved = [(t.tenant, t.digest, digests[t.tenant]) for t in saved.tenants if t.digest != digests.get(t.tenant, t.digest)]
    if moved:
        each = "".join(f"\n  {tenant}: reviewed {was}\n  {' ' * len(tenant)}       now {now}" for tenant, was, now in moved)
        raise _stale(f"the documents of {', '.join(tenant for tenant, _, _ in moved)} changed since the plan was made:{each}")
    if back := [desired.tenant for desired in tenants if _goes_back_otherwise(desired, saved)]:
        raise _stale(f"the rollback of {', '.join(back)} would treat what the target wrote otherwise than was reviewed")
    _applyable(saved)


def expect_places(saved: Plan, clouds: Mapping[str, str]) -> None:
    """StalePlan unless each cloud is still the one it was planned against. `clouds`: name → what it stands for now."""
    for name, place in clouds.items():
        if saved.clouds.get(name, place) != place:
            raise _stale(f"cloud {name} was {saved.clouds[name]} when it was made and is {place} now")


def expect_in_time(plan: TenantPlan, expires: datetime | None, now: datetime) -> None:
    """StalePlan where there is something to begin and it is too late for that. What is under way, or goes back, is not held by the time."""
    going = any((wave.admitted and wave.stage is Stage.CUT) or wave.stage in BACK for wave in plan.waves)
    if expires is not None and now > expires and plan.changes and not going:
        raise _stale(f"it expired at {expires.isoformat(timespec='seconds')}")


def _applyable(saved: Plan) -> None:
    """Nothing holds back a plan that brings servers back."""
    if saved.errors:
        told = "".join(f"\n  {tenant} was not planned: {summary}" for tenant, summary in saved.errors)
        raise PlannedWithErrors(f"it was made with errors:{told}", fix="Mend them, then make the plan again:", command=AGAIN)
    blockers = [finding for tenant in saved.tenants for finding in tenant.blockers]
    if blockers and not any(wave.stage in BACK for tenant in saved.tenants for wave in tenant.waves):
        told = "".join(f"\n  {finding.address}: {finding.what}" for finding in blockers)
        raise NotApplyable(f"it has blockers:{told}", fix="Do what the plan says about them, then make it again:", command=AGAIN)


def _major(version: str) -> tuple[str, ...]:
    """What changes with an incompatible release: before 1.0 that is the second number."""
    first, second = [*version.split("."), ""][:2]
    return (first, second) if first == "0" else (first,)


def _stale(why: str) -> StalePlan:
    return StalePlan(why, fix="Make the plan again and have it reviewed:", command=AGAIN)


def _goes_back_otherwise(desired: Desired, saved: Plan) -> bool:
    """The digest leaves rollback blocks out, and the rungs of `discard` are among those of `carry_back`."""
    reviewed = {wave.name: wave.stage.value for t in saved.tenants if t.tenant == desired.tenant for wave in t.waves}
    words = {wave.name: wave.rollback.target_writes for wave in desired.waves if wave.rollback}
    return any(reviewed.get(name) in WRITES and reviewed[name] != word for name, word in words.items())
