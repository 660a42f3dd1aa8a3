import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import click
import pytest

from millpond.cli.apply import _code
from millpond.cli.drift import _code as drift_code
from millpond.cli.main import VERBS, cli, run
from millpond.cli.plan import _code as plan_code
from millpond.cli.say import SITE
from millpond.errors import ExitCode, InvariantBroken, LeaseHeld, MillpondError, StalePlan, Unreachable
from millpond.model.outcome import ApplyResult, Outcome, Result
from millpond.model.plan import TenantPlan
from millpond.reporting.drift_report import DriftReport
from tests.cli.calling import call
from tests.reporting import examples

CANARY = "c4n4ry-S3cret"


def test_the_table_is_frozen() -> None:
    assert {code.name: int(code) for code in ExitCode} == {
        "DONE": 0,
        "ERROR": 1,
        "CHANGES": 2,
        "HELD": 3,
        "STALE": 4,
        "LEASED": 5,
        "USAGE": 64,
        "INTERRUPTED": 130,
    }


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (MillpondError("why"), 1),
        (Unreachable("why"), 1),
        (InvariantBroken("why"), 3),
        (StalePlan("why"), 4),
        (LeaseHeld("why"), 5),
        (click.UsageError("why"), 64),
        (click.BadParameter("why"), 64),
        (click.FileError("plan.json", "why"), 1),
        (click.Abort(), 130),
        (KeyboardInterrupt(), 130),
        (EOFError("marshal data too short"), 1),
        (KeyError("why"), 1),
        (BrokenPipeError(), 1),
        (OSError(errno.ENOSPC, "No space left on device"), 1),
    ],
)
def test_every_error_has_its_code_and_no_traceback(
    error: BaseException, code: int, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    @click.command()
    def failing() -> None:
        raise error

    SITE.set(tmp_path)
    kept = os.dup(1)
    try:
        assert run(failing, []) == code
    finally:
        os.dup2(kept, 1)
    assert "Traceback" not in "".join(capfd.readouterr())


@pytest.mark.parametrize(
    "arguments",
    [[], ["pln"], ["plan", "--wav"], ["unlock", "acme"], ["schema"], ["schema", "server"], ["show"], ["-C"], ["apply", "a.json", "b.json"]],
)
def test_a_misuse_never_looks_like_changes(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    called = call(capsys, *arguments)
    assert called.code == 64
    assert called.out == ""
    assert called.err


def test_a_defect_leaves_its_trace_in_a_file_without_secrets(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OS_PASSWORD", CANARY)

    @click.command()
    def failing() -> None:
        raise RuntimeError(f"login with {CANARY} and X-Auth-Token: {CANARY}")

    SITE.set(tmp_path)
    assert run(failing, []) == 1
    err = capsys.readouterr().err
    (trace,) = (tmp_path / ".millpond").iterdir()
    assert "Millpond failed in a way that it does not know" in err
    assert str(trace) in "".join(line.strip() for line in err.splitlines())
    assert "RuntimeError" in trace.read_text()
    assert CANARY not in err + trace.read_text()


def test_a_defect_is_told_where_no_file_can_be_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    @click.command()
    def failing() -> None:
        raise RuntimeError

    SITE.set(tmp_path / "nowhere")
    assert run(failing, []) == 1
    assert "the trace could not be written" in capsys.readouterr().err


def test_an_error_shows_no_secret_of_the_environment(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IBOX_PASSWORD", CANARY)

    @click.command()
    def failing() -> None:
        raise Unreachable(f"no login as admin with {CANARY}")

    assert run(failing, []) == 1
    assert CANARY not in capsys.readouterr().err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_with_130(number: signal.Signals) -> None:
    program = """
import sys, time
import click
from millpond.cli import main
@click.command()
def slow():
    print("ready", flush=True)
    time.sleep(30)
main.cli = slow
sys.argv = ["millpond"]
main.main()
"""
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        time.sleep(0.1)
        process.send_signal(number)
        assert process.wait(10) == 130
        assert "Traceback" not in process.stderr.read()


def test_a_signal_while_the_last_one_is_being_told_ends_without_a_traceback() -> None:
    program = """
import sys, millpond.cli.main as main
class Told:
    def __init__(self, stream): self._stream = stream
    def __getattr__(self, name): return getattr(self._stream, name)
    def flush(self): raise KeyboardInterrupt
sys.stdout = Told(sys.stdout)
sys.argv = ["millpond", "--version"]
main.main()
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, env=os.environ, timeout=60)
    assert ran.returncode == 130
    assert "Traceback" not in ran.stderr


FAILED = (Outcome("a#x", Result.FAILED),)
RETRIED = (*FAILED, Outcome("a#x", Result.DONE))


@pytest.mark.parametrize(
    ("flags", "detailed", "code"),
    [
        ({}, False, 0),
        ({"advanced": True}, True, 0),
        ({"advanced": True, "remaining": True}, False, 0),
        ({"advanced": True, "remaining": True}, True, 2),
        ({"remaining": True}, True, 0),
        ({"held": True, "remaining": True, "advanced": True}, True, 3),
        ({"held": True}, False, 3),
        ({"outcomes": FAILED, "held": True}, False, 1),
        ({"outcomes": RETRIED}, False, 0),
        ({"interrupted": True, "outcomes": FAILED}, False, 130),
    ],
)
def test_the_codes_of_apply(flags: dict[str, object], detailed: bool, code: int) -> None:
    result: Callable[..., ApplyResult] = examples.result
    assert _code(result(examples.QUIET, **flags), detailed) == code


BLOCKED = replace(examples.QUIET, findings=(examples.UNDECIDED,))


@pytest.mark.parametrize(
    ("tenants", "errors", "detailed", "code"),
    [
        ([examples.QUIET], (), True, 0),
        ([replace(examples.ACME, findings=())], (), True, 2),
        ([replace(examples.ACME, findings=())], (), False, 0),
        ([BLOCKED], (), True, 3),
        ([BLOCKED], (), False, 0),
        ([examples.ACME], (), True, 3),
        ([BLOCKED], (("umbrella", "unreachable"),), True, 1),
        ([examples.GLOBEX], (), True, 0),
    ],
)
def test_the_codes_of_plan(tenants: list[TenantPlan], errors: tuple[tuple[str, str], ...], detailed: bool, code: int) -> None:
    assert plan_code(examples.plan(*tenants, errors=errors), detailed) == code


@pytest.mark.parametrize(
    ("tenant", "errors", "code"),
    [
        (examples.QUIET, (), 0),
        (replace(examples.QUIET, drift=examples.DRIFT), (), 2),
        (BLOCKED, (), 3),
        (replace(BLOCKED, drift=examples.DRIFT), (), 3),
        (replace(examples.GLOBEX, findings=(replace(examples.UNDECIDED, wave=""),)), (), 0),
        (BLOCKED, (("umbrella", "unreachable"),), 1),
    ],
)
def test_the_codes_of_drift(tenant: TenantPlan, errors: tuple[tuple[str, str], ...], code: int) -> None:
    """A blocker of what is only being prepared is a plan's to tell."""
    assert drift_code(DriftReport(examples.plan(tenant, errors=errors))) == code


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: str(verb.name))
def test_every_verb_says_what_it_is_for(verb: click.Command) -> None:
    assert verb.help
    assert "..." not in verb.get_short_help_str(60)
    assert all(option.help for option in verb.params if isinstance(option, click.Option))


def test_the_verbs_are_those_of_the_design() -> None:
    names = ["discover", "validate", "plan", "show", "apply", "status", "drift", "report", "schema", "unlock", "sandbox"]
    assert list(cli.commands) == names


def test_help_loads_nothing_heavy() -> None:
    program = """
import sys
from millpond.cli.main import cli, run
from millpond.reporting.drift_report import DriftReport
code = run(cli, ["--help"])
heavy = {"openstack", "keystoneauth1", "infinisdk", "sqlalchemy", "deepdiff", "rich", "jsonschema", "yaml", "cattrs", "aiohttp"}
sys.exit(code or ", ".join(sorted(heavy & set(sys.modules))) or 0)
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, env=os.environ)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "Moves OpenStack tenants" in ran.stdout
