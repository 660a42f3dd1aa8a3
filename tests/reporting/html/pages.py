"""Pages to look at: a fleet of four tenants that has everything a report can show, with names that try to be more than names."""

from dataclasses import replace
from datetime import timedelta

from millpond.model.change import Effect, FieldChange
from millpond.model.cutover import Cutover, ServerOutage, Wait
from millpond.model.plan import Drift
from millpond.reporting.differences import Difference
from millpond.reporting.drift_report import DriftReport
from millpond.reporting.html.page import DriftPage, ReportPage, TenantFacts, report_page
from millpond.reporting.report_text import Moved
from tests.reporting import examples

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"
GROUP, NOON = "acme/replication_group/core-p1", examples.NOON


def outage(name: str, *waits: tuple[str, float], at: float = 0.0, estimated: float = 52.0, open_end: bool = False) -> ServerOutage:
    """`waits`: step ids without the tenant, and seconds each."""
    began = now = NOON + timedelta(seconds=at)
    found = []
    for step, seconds in waits:
        found.append(Wait(step if step.startswith("acme/") else f"acme/{step}", now, now + timedelta(seconds=seconds), seconds * 1.2))
        now = found[-1].ended
    return ServerOutage(f"acme/server/{name}", began, None if open_end else now, estimated, tuple(found))


SIDES = ((f"{GROUP}#sync", 9.4), (f"{GROUP}#suspend", 0.4), (f"{GROUP}#fence", 1.1), (f"{GROUP}#promote", 1.3))
WEB = outage(
    "web-1", ("source_server/web-1#stop", 8.2), ("source_server/db-1#stop", 6.1), *SIDES, ("server/web-1#create", 14.7),
    ("source_server/web-1#verify", 0.8),
)  # fmt: skip
DB = outage(
    "db-1", ("source_server/db-1#stop", 13.9), ("source_server/db-1#time", 0.2), *SIDES, ("volume/db-1-data#release", 0.6),
    ("server/web-1#create", 14.1), ("server/db-1#create", 22.5), ("source_server/db-1#verify", 0.9), at=0.2, estimated=72.0,
)  # fmt: skip
OVER = Cutover("core", back=False, servers=(DB, WEB))
LATE = Cutover("late", back=False, servers=(outage("app-1", ("server/app-1#create", 20.0), at=86_390.0, estimated=7200.0),))
STUCK = outage("bastion-with-a-name-that-is-too-long-for-a-picture", ("server/x#stop", 4.0), (f"{GROUP}#reverse_sync", 30.0), open_end=True)
BACK = Cutover("pilot", back=True, servers=(STUCK,))


def facts() -> tuple[TenantFacts, ...]:
    objects = (
        Moved("server", "db-1", "0b1c0f6e-6ec4-4a5a-9c55-4b7b0a1f8f10", "a97d1b52-0a3e-4a0e-8f4b-5a4f2bb2a0f7"),
        Moved("server", HOSTILE, "5a0c6a0d-6f7f-4a32-9d4c-3a9a3d4a7e21", ""),
        Moved("security_group", "web", "e6b9d9e4-0e1f-4d0c-8c39-2f3f7b1a9a55", "c1d70f0a-7a55-4f46-8e0e-8f4df4d3f1d4"),
    )
    names = tuple(f"acme/server/web-{n}" for n in range(1, 8))
    differences = (
        Difference("flavor", "m1.volume (2 vCPU, 4096 MiB, 0 GB)", "v2.medium (2 vCPU, 4096 MiB, 0 GB)", "the site file maps it", names),
        Difference("ids of all objects", "", "", "each service gives ids of its own; old and new ones stand under Objects"),
    )
    behind = (("acme/server/old-build-box", "rebuilt by its owner"),)
    waves = (replace(examples.PILOT, outage_since="2026-12-01T11:58:20+00:00", down=("acme/server/bastion",)), examples.CORE)
    acme = replace(examples.ACME, waves=waves)
    ways = {"source": "rhosp13, domain Default, project acme", "target": "rhosp17, domain customers, project acme"}
    return (
        TenantFacts(acme, **ways, objects=objects, cutovers=(OVER, BACK, LATE), differences=differences, behind=behind),
        TenantFacts(
            examples.GLOBEX,
            **ways,
            at_work="run 20261201T115500Z-3f2a9c of ada@runner-1 works on it since 2026-12-01 11:55:00 UTC",
            windows={"rest": "2026-12-01 21:00:00 UTC to 2026-12-02 01:00:00 UTC"},
        ),
        TenantFacts(replace(examples.QUIET, tenant=HOSTILE), **ways),
    )


def drift() -> DriftPage:
    """With objects that changed, went and came, in both directions."""
    rules = ([{"port": 22}, {"port": 443}], [{"port": 443}, {"port": 80}])
    found = (
        *examples.DRIFT,
        Drift(examples.address("security_group", "web"), "target", (FieldChange("rules", *rules), FieldChange("description", "Web", None))),
        Drift(examples.address("server", HOSTILE), "target", (), "is gone from the target", Effect.DELETE),
    )
    errors = (("umbrella", "The login was refused: rhosp17 answered 401 for user millpond"),)
    plan = examples.plan(replace(examples.ACME, drift=found), examples.GLOBEX, errors=errors)
    return DriftPage("north", DriftReport(plan, rpo=600))


def fleet() -> ReportPage:
    errors = (("umbrella", "The login was refused: rhosp17 answered 401 for user millpond"),)
    return report_page("north", NOON + timedelta(seconds=61), "0.1.0", facts(), errors)
