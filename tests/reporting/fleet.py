"""A plan of as many tenants as are wanted, each with servers to cut over, one to delete, and replicas that are still seeded."""

from dataclasses import replace
from datetime import timedelta

from millpond.model.address import Address, Side
from millpond.model.change import AnyStep, Change, Effect, FieldChange, Waiting
from millpond.model.plan import OutageEstimate, Plan, Stage, TenantPlan, WaveStatus
from millpond.model.plan_document import PlanDocument

from . import examples

FLAG = "cutover: true for wave core"


def fleet(tenants: int = 200, servers: int = 20) -> PlanDocument:
    plans = tuple(tenant(f"tenant-{number:03}", servers) for number in range(1, tenants + 1))
    plan = Plan(examples.NOON, "0.1.0", plans, examples.DIGEST)
    return PlanDocument(plan, examples.NOON + timedelta(hours=1), "north", git_sha="3f2a9c01" * 5)


def tenant(name: str, servers: int) -> TenantPlan:
    names = [f"app-server-{number:02}" for number in range(1, servers + 1)]
    seed = Waiting(
        Address(name, "replication_group", "rest-p1"), "seed", "the first copy is under way", "rest",
        long=True, bytes_left=442381631488, rate=123941683, seconds=3569.0,
    )  # fmt: skip
    held = replace(examples.UNDECIDED, address=Address(name, "wave", "pilot"))
    addresses = tuple(str(Address(name, "server", server)) for server in names)
    return TenantPlan(
        tenant=name,
        digest=examples.DIGEST,
        steps=(*(step for server in names for step in _server(name, server)), _promote(name, names), seed),
        findings=(held, replace(examples.PASSWORDS, address=Address(name, "user", ""))),
        waves=(WaveStatus("core", Stage.CUT, "in sync", addresses, lag_seconds=43.3), WaveStatus("rest", Stage.REPLICATE, "seeding")),
        outage=OutageEstimate(tuple((address, 50.0 + number) for number, address in enumerate(addresses)), _path(name, names[-1])),
    )


def _promote(name: str, servers: list[str]) -> Change:
    after = tuple(f"{name}/source_server/{server}#stop" for server in servers)
    fields = (FieldChange("target role", "TARGET", "SOURCE"),)
    return Change(
        Address(name, "replication_group", "core-p1"),
        "promote",
        FLAG,
        "core",
        after,
        side=Side.STORAGE,
        outage=True,
        danger=True,
        fields=fields,
    )


def _server(name: str, server: str) -> list[AnyStep]:
    source, target = Address(name, "source_server", server), Address(name, "server", server)
    stop = Change(
        source, "stop", FLAG, "core", side=Side.SOURCE, outage=True, danger=True, fields=(FieldChange("status", "ACTIVE", "SHUTOFF"),)
    )
    release = Change(
        Address(name, "volume", f"{server}-root"), "release", FLAG, "core", outage=True,
        fields=(FieldChange("status", "maintenance", "available"),),
    )  # fmt: skip
    boot = Change(
        target, "create", FLAG, "core", (f"{name}/replication_group/core-p1#promote",), effect=Effect.CREATE, outage=True,
        fields=(FieldChange("flavor", None, "m2.large"), FieldChange("name", None, server), FieldChange("volumes", None, ["9efb40b6-a96d"] * 3)),
    )  # fmt: skip
    verify = Change(source, "verify", FLAG, "core", (boot.id,), side=Side.SOURCE, outage=True)
    drop = Change(
        Address(name, "server", f"{server}-old"),
        "delete_failed",
        "it never ran",
        "core",
        effect=Effect.DELETE,
        danger=True,
        reversible=False,
    )
    return [stop, release, boot, verify, drop]


def _path(name: str, server: str) -> tuple[str, ...]:
    return (f"{name}/source_server/{server}#stop", f"{name}/replication_group/core-p1#promote", f"{name}/server/{server}#create")
