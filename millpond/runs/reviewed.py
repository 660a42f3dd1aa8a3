"""Whether documents, tool and clouds are still those that a plan was made with: judged before anything is sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from millpond import __version__
from millpond.errors import ExitCode, MillpondError, MissingCloud, StalePlan
from millpond.model.desired import Desired
from millpond.model.plan import AFTER_A_BOOT, BACK, Plan, Stage, TenantPlan
from millpond.planning.digest import plan_digest, tenant_digest
from millpond.providers.open import places

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


def still_reviewed(
    tenants: Sequence[Desired], saved: Plan, refused: Mapping[str, MillpondError]
) -> tuple[tuple[Desired, ...], dict[str, MillpondError]]:
    """The tenants that `saved` may be applied to, and why each other one is not: what moved of one tenant keeps none but it.

    `refused`: those whose documents cannot be used. StalePlan or NotApplyable where the cause concerns all, or none is left.
    """
    if _major(saved.tool_version) != _major(__version__):
        raise stale(f"Millpond {saved.tool_version} made it, this is {__version__}: changes may mean something else by now")
    found = dict(refused)
    for desired in tenants:
        if error := _moved(desired, saved):
            found[desired.tenant] = error
    left = tuple(desired for desired in tenants if desired.tenant not in found)
    if found and not left:
        raise _for_all(found)
    _applyable(saved)
    return left, found


def _moved(desired: Desired, saved: Plan) -> MillpondError | None:
    """MissingCloud where the place of a cloud cannot be told, else StalePlan."""
    tenant, now = desired.tenant, tenant_digest(desired)
    was = next((one.digest for one in saved.tenants if one.tenant == tenant), now)
    if was != now:
        each = f"\n  {tenant}: reviewed {was}\n  {' ' * len(tenant)}       now {now}"
        return stale(f"the documents of {tenant} changed since the plan was made:{each}")
    if _goes_back_otherwise(desired, saved):
        return stale(f"the rollback of {tenant} would treat what the target wrote otherwise than was reviewed")
    try:
        clouds = places({desired.manifest.source.cloud, desired.manifest.target.cloud})
    except MissingCloud as error:
        return error
    other = [name for name, place in clouds.items() if saved.clouds.get(name, place) != place]
    told = [f"cloud {name} was {saved.clouds[name]} when it was made and is {clouds[name]} now" for name in other]
    return stale("\n".join(told)) if told else None


def _for_all(found: Mapping[str, MillpondError]) -> MillpondError:
    """One error that tells of every tenant. What is not merely stale has something else to be done about it, first."""
    one = next((error for error in found.values() if not isinstance(error, StalePlan)), next(iter(found.values())))
    if len(found) == 1 or not isinstance(one, StalePlan):
        return one
    return stale("\n".join(dict.fromkeys(error.why for error in found.values())))


def expect_in_time(plan: TenantPlan, expires: datetime | None, now: datetime) -> None:
    """StalePlan where there is something to begin and it is too late for that. What is under way, or goes back, is not held by the time."""
    going = any((wave.admitted and wave.stage is Stage.CUT) or wave.stage in BACK for wave in plan.waves)
    if expires is not None and now > expires and plan.changes and not going:
        raise stale(f"it expired at {expires.isoformat(timespec='seconds')}")


def _applyable(saved: Plan) -> None:
    """NotApplyable where a tenant could not be planned, or blockers hold it."""
    if saved.errors:
        told = "".join(f"\n  {tenant} was not planned: {summary}" for tenant, summary in saved.errors)
        raise PlannedWithErrors(f"it was made with errors:{told}", fix="Mend them, then make the plan again:", command=AGAIN)
    if saved.refused_for:
        told = "".join(f"\n  {finding.address}: {finding.what}" for finding in saved.refused_for)
        raise NotApplyable(f"it has blockers:{told}", fix="Do what the plan says about them, then make it again:", command=AGAIN)


def _major(version: str) -> tuple[str, ...]:
    """What changes with an incompatible release: before 1.0 that is the second number."""
    first, second = [*version.split("."), ""][:2]
    return (first, second) if first == "0" else (first,)


def stale(why: str) -> StalePlan:
    return StalePlan(why, fix="Make the plan again and have it reviewed:", command=AGAIN)


def _goes_back_otherwise(desired: Desired, saved: Plan) -> bool:
    """The digest leaves rollback blocks out, and the rungs of `discard` are among those of `carry_back`."""
    reviewed = {wave.name: wave.stage.value for t in saved.tenants if t.tenant == desired.tenant for wave in t.waves}
    words = {wave.name: wave.rollback.target_writes for wave in desired.waves if wave.rollback}
    return any(reviewed.get(name) in AFTER_A_BOOT and reviewed[name] != word for name, word in words.items())
