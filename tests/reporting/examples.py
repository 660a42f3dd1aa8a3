"""Finished objects to look at: a tenant that is cut over, one that is being seeded, one that cannot be planned."""

from dataclasses import replace
from datetime import UTC, datetime

from millpond.model.address import Address, Side
from millpond.model.change import UNKNOWN, Change, Effect, FieldChange, Waiting
from millpond.model.finding import Finding, Severity
from millpond.model.outcome import ApplyResult, Outcome, Result
from millpond.model.plan import Drift, OutageEstimate, Plan, Stage, TenantPlan, WaveStatus
from millpond.model.to_do import to_do

NOON = datetime(2026, 12, 1, 12, 0, tzinfo=UTC)
DIGEST = "sha256:998c1075d07597f08fb8f3b96406c2e520b4408cb6e6928debaadd9175f9ff3c"
FLAG = "cutover: true for wave core"


def address(kind: str, name: str, tenant: str = "acme") -> Address:
    return Address(tenant, kind, name)


def step_id(kind: str, name: str, action: str) -> str:
    return f"{address(kind, name)}#{action}"


def stop(server: str) -> Change:
    return Change(
        address("source_server", server), "stop", FLAG, "core",
        after=(step_id("source_server", server, "lock"),), side=Side.SOURCE, outage=True, danger=True, servers=(f"id-{server}",),
        fields=(FieldChange("status", "ACTIVE", "SHUTOFF"),),
    )  # fmt: skip


def lock(server: str) -> Change:
    fields = (FieldChange("locked", before=False, after=True),)
    return Change(address("source_server", server), "lock", "the tenant must not start it", "core", side=Side.SOURCE, fields=fields)


def promote() -> Change:
    return Change(
        address("replication_group", "core-p1"), "promote", FLAG, "core",
        after=(step_id("source_server", "web-1", "stop"), step_id("source_server", "db-1", "stop")), side=Side.STORAGE, outage=True, danger=True,
        fields=(FieldChange("target role", "TARGET", "SOURCE"),),
    )  # fmt: skip


def boot(server: str) -> Change:
    fields = (
        FieldChange("flavor", None, "m2.large"),
        FieldChange("metadata.role", None, "web"),
        FieldChange("name", None, server),
        FieldChange("ports", None, [UNKNOWN]),
        FieldChange("user_data", None, "(sensitive value)"),
        FieldChange("volumes", None, ["9efb40b6-a96d-4be8-81cc-f5828f0af651", "87e0ee02-9797-4855-b553-726092b48208", UNKNOWN]),
    )
    return Change(
        address("server", server), "create", FLAG, "core", after=(promote().id,), effect=Effect.CREATE, outage=True, fields=fields,
        parameters={"flavor_id": "f-1"}, source_id=f"id-{server}", destination="ACTIVE",
    )  # fmt: skip


NETWORK = (
    Change(
        address("security_group", "web"), "update", "the tenant has it on the source",
        fields=(
            FieldChange("description", "Web", "Web servers"),
            FieldChange(
                "rules",
                [{"protocol": "tcp", "port": 22, "remote_ip_prefix": "10.0.0.0/8"}, {"protocol": "tcp", "port": 443, "remote_ip_prefix": "0.0.0.0/0"}],
                [{"protocol": "tcp", "port": 80, "remote_ip_prefix": "0.0.0.0/0"}, {"protocol": "tcp", "port": 443, "remote_ip_prefix": "0.0.0.0/0"}],
            ),
        ),
    ),
    Change(
        address("key_pair", "alice:laptop"), "create", "the user has it on the source", effect=Effect.CREATE,
        fields=(FieldChange("public_key", None, "ssh-rsa " + "AAAAB3NzaC1yc2E" * 24 + " alice@laptop"), FieldChange("type", None, "ssh")),
    ),
    Change(
        address("server", "old-boot"), "delete_failed", "it is in ERROR and was never launched", effect=Effect.DELETE, danger=True, reversible=False,
        fields=(FieldChange("status", "ERROR", None),),
    ),
    Change(
        address("server", "old-boot"), "create", "booted again, attempt 2 of 3", effect=Effect.CREATE,
        after=(step_id("server", "old-boot", "delete_failed"),), fields=(FieldChange("name", None, "old-boot"),),
    ),
)  # fmt: skip
CORE = WaveStatus("core", Stage.CUT, "in sync", ("acme/server/web-1", "acme/server/db-1"), lag_seconds=43.3)
PILOT = WaveStatus(
    "pilot", Stage.HANDED_OVER, "handed over", ("acme/server/bastion",), cut="20261130T220000Z", verified=("acme/server/bastion",)
)
OUTAGE = OutageEstimate(
    (("acme/server/db-1", 52.0), ("acme/server/web-1", 48.0)),
    (step_id("source_server", "db-1", "stop"), promote().id, step_id("server", "db-1", "create")),
)
DRIFT = (
    Drift(address("server", "bastion"), "target", (FieldChange("flavor", "m1.small", "m1.medium"),)),
    Drift(address("volume", "scratch"), "source", (), "is not in the inventory", Effect.CREATE),
)
PASSWORDS = Finding(
    "users_without_password",
    Severity.INFO,
    address("user", ""),
    "1 user has no password on the target: alice",
    "no API returns a password, so none can be carried",
    to_do("let them log in through your identity provider, or set one where there is none", "openstack user set --password-prompt NAME"),
)
UNDECIDED = Finding(
    "rollback_undecided",
    Severity.BLOCKER,
    address("wave", "pilot"),
    "cutover is false, but cut 20261130T220000Z of this wave has declared boots on the target",
    "what may have been written there since must not be lost by accident",
    "state in tenants/acme.yaml whether it is carried back or discarded, or set cutover: true again",
    wave="pilot",
    patch="spec:\n  waves:\n    - name: pilot\n      rollback:\n        cut: 20261130T220000Z\n        target_writes: carry_back   # or discard",
)
SEED = Waiting(
    Address("globex", "replication_group", "rest-p1"), "seed", "the first copy is under way", "rest",
    long=True, bytes_left=442381631488, rate=123941683, seconds=3569.0,
)  # fmt: skip
NOT_YET = Waiting(Address("globex", "server", "app-1"), "create", "Nova is building it", "rest", after=("globex/port/app-1#create",))
ORPHAN = Finding(
    "orphan",
    Severity.WARNING,
    Address("initech", "project", "rhosp13"),
    "the project initech (5f1c) on rhosp13 is marked as being migrated, but no manifest names it",
    "removing a manifest detaches the tenant and deletes nothing",
    "put its manifest back, or remove the tag `millpond` from the project",
)

ACME = TenantPlan(
    tenant="acme",
    digest=DIGEST,
    steps=(*NETWORK, promote(), boot("db-1"), boot("web-1"), lock("db-1"), lock("web-1"), stop("db-1"), stop("web-1")),
    findings=(PASSWORDS, UNDECIDED),
    drift=DRIFT,
    waves=(PILOT, CORE),
    outage=OUTAGE,
)
GLOBEX = TenantPlan(
    tenant="globex",
    digest=DIGEST.replace("9", "a"),
    steps=(SEED, NOT_YET),
    waves=(WaveStatus("rest", Stage.REPLICATE, "seeding", ("globex/server/app-1",), lag_seconds=7200, bytes_left=442381631488),),
)
QUIET = TenantPlan("acme", DIGEST, waves=(PILOT,))


def plan(*tenants: TenantPlan, errors: tuple[tuple[str, str], ...] = (), findings: tuple[Finding, ...] = ()) -> Plan:
    return Plan(NOON, "0.1.0", tenants, DIGEST, errors, findings)


FULL = replace(
    plan(ACME, GLOBEX, errors=(("umbrella", "The login was refused: rhosp17 answered 401 for user millpond"),), findings=(ORPHAN,)),
    approvers={"cutover": ("@example/platform", "cab@example.org")},
)
CUT_SHORT = WaveStatus(
    "core",
    Stage.CUT,
    "cutting over",
    CORE.servers,
    cut="20261201T115550Z",
    admitted=True,
    outage_since="20261201T115550Z",
    down=("acme/server/db-1",),
)
OUTCOMES = (
    Outcome(step_id("source_server", "db-1", "lock"), Result.DONE, 0.4),
    Outcome(step_id("source_server", "db-1", "stop"), Result.DONE, 8.1),
    Outcome(step_id("replication_group", "core-p1", "add_member:1"), Result.DONE, 0.2),
    Outcome(step_id("replication_group", "core-p1", "add_member:2"), Result.DONE, 0.2),
    Outcome(step_id("replication_group", "core-p1", "promote"), Result.DONE, 1.2),
    Outcome(step_id("server", "web-1", "create"), Result.FAILED, 1.0, "409"),
    Outcome(
        step_id("server", "web-1", "create"),
        Result.FAILED,
        3.0,
        "Quota exceeded for cores: Requested 4, but already used 60 of 60 cores (HTTP 403)",
    ),
    Outcome(step_id("server", "db-1", "create"), Result.UNKNOWN, 60.0, "no reply from rhosp17 within 60 s"),
    Outcome(step_id("volume", "scratch", "delete"), Result.HELD, 0.0, "another run wrote the cut record"),
)


def result(tenant: TenantPlan, **values: object) -> ApplyResult:
    return ApplyResult(plan=plan(tenant), run="20261201T115500Z-3f2a9c", **values)  # type: ignore[arg-type]
