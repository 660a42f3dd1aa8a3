"""Verbs that only read change nothing, wherever a migration stands; and what they find drives the exit codes."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from millpond.errors import WriteRefused
from millpond.providers.access import Access
from millpond.providers.open import open_providers
from millpond.reporting.amounts import moment
from millpond.runs.plan import make_plan
from tests.sandbox.conftest import connect
from tests.story.command import millpond
from tests.story.stage import Stage
from tests.story.worlds import INVENTORY

READING = (
    ("plan", "--detailed-exitcode"),
    ("plan", "--format", "json", "-o", "plan.json"),
    ("drift",),
    ("drift", "--format", "junit"),
    ("status",),
    ("discover", "acme"),
    ("report",),
    ("report", "--format", "html"),
    ("show", "plan.json"),
    ("validate",),
    ("schema", "tenant"),
)


def written(directory: Path) -> dict[str, bytes]:
    """Every file of the site but the saved plan and what SQLite keeps beside a journal that is open."""
    names = {str(path) for path in directory.rglob("*") if path.is_file()}
    return {name: Path(name).read_bytes() for name in sorted(names) if not name.endswith(("plan.json", "-shm", "-wal"))}


def read_all(stage: Stage) -> Iterator[tuple[str, int]]:
    stage.write()
    assert millpond(stage.directory, "schema", "--write").code == 0
    before = written(stage.directory)
    with stage.counted() as mutating:
        for words in READING:
            answer = millpond(stage.directory, *words)
            assert answer.err == "", (words, answer.err)
            yield words[0], answer.code
    assert mutating == []
    assert written(stage.directory) == before


def test_no_verb_that_reads_sends_a_mutating_request(stage: Stage) -> None:
    assert dict(read_all(stage)) == dict.fromkeys([words[0] for words in READING], 0)


def test_nor_in_the_middle_of_a_cut(stage: Stage) -> None:
    """Servers are down, the roles have changed, nothing has booted: there is most to do."""
    stage.manifest["cutover"] = True
    stage.write()
    stage.sandbox.control.fault(action={"status": 403}, cloud="target", service="nova", method="POST", path="/servers$", count=0)
    assert millpond(stage.directory, "apply").code == 1
    assert [code for verb, code in read_all(stage) if verb == "plan"] == [2, 0]


def test_the_login_of_a_verb_that_reads_cannot_write(stage: Stage) -> None:
    site, tenants = stage.load()
    providers = open_providers(site, "source-admin", "target-admin", Access.READ)
    project = tenants[0].inventory.project.id
    with stage.counted() as mutating:
        for write in (
            lambda: providers.source.identity.add_project_tag(project, "millpond"),
            lambda: providers.target.compute.update_quota(project, {"cores": 1}),
            lambda: providers.target.network.update_quota(project, {"port": 1}),
            lambda: providers.target.block_storage.update_quota(project, {"volumes": 1}),
            lambda: providers.array("ibox-a").create_group("g", "pool-a1"),
        ):
            with pytest.raises(WriteRefused):
                write()
    assert mutating == []


def test_discover_leaves_an_inventory_alone_that_says_all(stage: Stage) -> None:
    stage.write()
    before = (stage.directory / INVENTORY).read_bytes()
    assert millpond(stage.directory, "schema", "--write").code == 0
    answer = millpond(stage.directory, "discover")
    assert answer.out.endswith(f"{INVENTORY} is up to date.\n")
    assert (stage.directory / INVENTORY).read_bytes() == before


def test_discover_keeps_what_a_migration_altered(untouched: Stage) -> None:
    """One wave has moved and is off and locked on the source; then the other has, and with it the segment's gateway and addresses."""
    stage = untouched
    before = (stage.directory / INVENTORY).read_bytes()
    waves = [{"name": "first", "servers": ["web-1", "web-2"], "cutover": True}, {"name": "second", "servers": ["db-1"]}]
    stage.manifest["waves"] = waves
    for moved in (["web-1", "web-2"], ["db-1", "web-1", "web-2"]):
        assert not stage.settle().held
        assert sorted(row["name"] for row in stage.rows("target/nova/servers")) == moved
        assert millpond(stage.directory, "discover", "acme").code == 0
        assert (stage.directory / INVENTORY).read_bytes() == before
        stage.manifest["cutover"] = True
    assert all(row["_gateway"] is None for row in stage.rows("source/neutron/routers"))


def test_discover_keeps_what_a_cut_that_stopped_half_way_altered(stage: Stage) -> None:
    stage.manifest["cutover"] = True
    stage.write()
    before = (stage.directory / INVENTORY).read_bytes()
    stage.sandbox.control.fault(
        action={"status": 409}, cloud="target", service="neutron", method="PUT", path="add_router_interface", count=0
    )
    assert millpond(stage.directory, "apply").code == 1
    millpond(stage.directory, "discover", "acme")
    assert (stage.directory / INVENTORY).read_bytes() == before


def test_what_a_tenant_changes_is_drift_until_it_is_discovered(stage: Stage) -> None:
    stage.write()
    alice = connect(stage.sandbox, "source-acme")
    group = alice.network.find_security_group("web")
    assert group is not None
    alice.network.create_security_group_rule(
        security_group_id=group.id, direction="ingress", protocol="tcp", port_range_min=8080, port_range_max=8080
    )
    found = millpond(stage.directory, "drift")
    assert (found.code, found.err) == (2, "")
    assert "acme/security_group/web" in found.out
    assert millpond(stage.directory, "discover", "acme").code == 0
    assert "port_range_min: 8080" in (stage.directory / INVENTORY).read_text()
    assert millpond(stage.directory, "plan", "--detailed-exitcode").code == 2
    assert millpond(stage.directory, "apply", "--detailed-exitcode").code == 0
    assert millpond(stage.directory, "drift").code == 0


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("plan", "--bogus"), "No such option '--bogus'."),
        (("aply",), "No such command 'aply'. Did you mean 'apply'?"),
        (("plan", "--format", "xml"), "Invalid value for '--format': 'xml' is not one of 'text', 'json', 'markdown', 'gitlab'."),
        (("apply", "--wave", "nope"), "Invalid value for --wave: no tenant has a wave 'nope'; there are: rest"),
        (("discover", "acme", "--source-cloud", "x"), "--source-cloud and --target-cloud are for a tenant without a manifest"),
        (("discover", "globex"), "a tenant without a manifest is discovered alone, with --source-cloud and --target-cloud"),
        (("schema", "bogus"), "'bogus' is not one of 'site', 'tenant', 'inventory', 'plan', 'result', 'drift'."),
        (("unlock", "acme"), "name the run that died with --run ID"),
        (("show",), "Missing argument 'PLAN.JSON'."),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_is_not_understood_is_64(stage: Stage, words: tuple[str, ...], told: str) -> None:
    stage.write()
    answer = millpond(stage.directory, *words)
    assert (answer.code, answer.out) == (64, "")
    assert answer.err.startswith("Error: The command line is not understood\n  Why:   ")
    assert told in " ".join(answer.err.split())


@pytest.mark.parametrize("verb", ["plan", "apply", "status", "drift", "report", "validate"])
def test_an_unknown_tenant_is_1_with_the_nearest_name(stage: Stage, verb: str) -> None:
    stage.write()
    answer = millpond(stage.directory, verb, "acm")
    assert (answer.code, answer.out) == (1, "")
    assert answer.err == UNKNOWN_TENANT


UNKNOWN_TENANT = """Error: The documents are not valid: 1 problem

  tenants
    there is no tenant `acm`
    Why:   there is no file tenants/acm.yaml
    To do: did you mean `acme`?
"""


def test_the_codes_of_plan_and_apply(stage: Stage) -> None:
    stage.manifest["cutover"] = True
    stage.write()
    assert [millpond(stage.directory, "plan", *more).code for more in ((), ("--detailed-exitcode",))] == [0, 2]
    digest = yaml.safe_load(millpond(stage.directory, "plan", "--format", "json").out)["digest"]
    with stage.counted() as mutating:
        wrong = millpond(stage.directory, "apply", "--expect-digest", "sha256:" + 64 * "0")
    assert (wrong.code, wrong.out, mutating) == (4, "", [])
    said = " ".join(wrong.err.split())
    assert "the documents lead elsewhere than was reviewed" in said
    assert digest in said
    assert millpond(stage.directory, "apply", "--expect-digest", digest, "--detailed-exitcode").code == 0
    assert millpond(stage.directory, "plan", "--detailed-exitcode").code == 0


def test_a_closed_window_holds_with_3(stage: Stage) -> None:
    opens = datetime.now(UTC) + timedelta(hours=1)
    stage.manifest |= {"cutover": True, "window": {"opens": opens.isoformat(), "closes": (opens + timedelta(hours=2)).isoformat()}}
    stage.write()
    with stage.counted() as mutating:
        answer = millpond(stage.directory, "apply")
    assert (answer.code, answer.err, mutating) == (3, "", [])
    said = " ".join(answer.out.split())
    assert "Apply: 0 done, 0 failed, 0 unknown; held: acme, wave rest." in said
    assert f"its maintenance window opens at {moment(opens)}: run apply then" in said
    assert "Held until a gate opens by itself, see above: nothing is wrong. To continue then:" in said
    assert millpond(stage.directory, "plan", "--detailed-exitcode").code == 2


def test_what_advances_and_leaves_work_is_2(untouched: Stage) -> None:
    """The first copy takes hours: apply does not stay for it."""
    untouched.write()
    control = untouched.sandbox.control
    control.settings(speed=1)
    try:
        answers = [millpond(untouched.directory, "apply", *more).code for more in (("--detailed-exitcode",), ())]
    finally:
        control.settings(speed=60)
    assert answers == [2, 0]
    control.advance(3600)
    assert millpond(untouched.directory, "apply", "--detailed-exitcode").code == 0


def sockets() -> set[str]:
    found: set[str] = set()
    for link in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):
            found.add(str(link.readlink()))
    return {name for name in found if name.startswith("socket:")}


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="only Linux tells what a process has open")
@pytest.mark.parametrize("fault", [{}, {"cloud": "source", "service": "nova", "path": "/servers"}], ids=["read", "refused"])
def test_a_plan_of_many_tenants_keeps_no_connection_of_those_it_has_read(stage: Stage, fault: dict[str, str]) -> None:
    site, (tenant,) = stage.load()
    make_plan(site, (tenant,))
    if fault:
        stage.sandbox.control.fault(action={"status": 403}, method="GET", count=0, **fault)
    gc.disable()  # it would close some of them, at some time
    try:
        before = sockets()
        assert len(make_plan(site, (tenant,) * 4).errors) == bool(fault)
        deadline = time.monotonic() + 20  # reads that nobody waits for any more end by themselves
        while (left := sockets() - before) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not left
    finally:
        gc.enable()
