"""What goes wrong in the middle: told with what to do, the exit code, and the next run goes on where it stopped."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import Any

import pytest

from tests.sandbox.running import Control
from tests.story.command import Answer, millpond
from tests.story.stage import Stage

QUOTA = "To do: Raise this quota of the project, or state a larger one under `quotas` in the manifest."
SILENT = re.compile(
    r"\nacme\nError: A call failed\n"
    r"  Where: target-admin: GET /\S+\n"
    r"  Why:   the connection was lost\n"
    r"  To do: See whether it is up and can be reached from here, and run this again.\n"
)
OUTAGE = re.compile(
    r"OUTAGE IN PROGRESS\n"
    r"  acme, wave rest: since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC(?: \(for [^)]+\))?\n"
    r"    acme/server/db-1, acme/server/web-1, acme/server/web-2\n"
    r"  To continue:\n\n"
    r"    millpond apply acme\n"
)


def cutting(stage: Stage) -> Stage:
    stage.manifest["cutover"] = True
    stage.write()
    return stage


def refused(stage: Stage, status: int, body: Any, **requests: Any) -> None:
    stage.sandbox.control.fault(action={"status": status, "body": body}, method="POST", count=0, **requests)


def one_line(answer: Answer) -> str:
    return " ".join(answer.out.split())


def finishes(stage: Stage) -> None:
    """Once the cause is mended, apply goes on until nothing is left."""
    stage.sandbox.control.clear_faults()
    result = stage.settle()
    assert result.plan.tenants[0].steps == ()
    assert stage.sandbox.control.violations() == []


@pytest.mark.parametrize(
    ("status", "body", "requests", "said"),
    [
        (
            413,
            {
                "overLimit": {
                    "code": 413,
                    "message": "VolumeLimitExceeded: Maximum number of volumes allowed (3) exceeded for quota 'volumes'.",
                }
            },
            {"service": "cinder", "path": "/volumes$"},
            "exceeded for quota 'volumes'. (HTTP 413).",
        ),
        (
            409,
            {"NeutronError": {"type": "OverQuota", "message": "Quota exceeded for resources: ['port'].", "detail": ""}},
            {"service": "neutron", "path": "/ports$"},
            "Quota exceeded for resources: ['port']. (HTTP 409).",
        ),
    ],
    ids=["volumes", "ports"],
)
def test_a_quota_that_the_cloud_finds_exhausted(untouched: Stage, status: int, body: Any, requests: dict[str, str], said: str) -> None:
    refused(untouched, status, body, cloud="target", **requests)
    untouched.write()
    answer = millpond(untouched.directory, "apply")
    assert answer.code == 1
    assert f"{said} {QUOTA}" in one_line(answer)
    assert "Correct what the services said above, then run it again:\n\n    millpond apply acme\n" in answer.out
    finishes(untouched)


def test_a_quota_that_is_exhausted_when_the_servers_are_down(stage: Stage) -> None:
    message = "Quota exceeded for cores: Requested 2, but already used 20 of 20 cores"
    refused(cutting(stage), 403, {"forbidden": {"code": 403, "message": message}}, cloud="target", service="nova", path="/servers$")
    answer = millpond(stage.directory, "apply")
    assert answer.code == 1
    assert f"{message} (HTTP 403). {QUOTA}" in one_line(answer)
    assert OUTAGE.search(answer.out), answer.out
    finishes(stage)
    assert {row["vm_state"] for row in stage.rows("target/nova/servers")} == {"active"}


def test_a_pool_that_an_array_finds_full(untouched: Stage) -> None:
    error = {"code": "NOT_ENOUGH_FREE_VIRTUAL_CAPACITY", "message": "Pool pool-b1 has not enough free virtual capacity"}
    refused(untouched, 409, {"result": None, "error": error, "metadata": {}}, service="infinibox", path="/replicas")
    untouched.write()
    answer = millpond(untouched.directory, "apply")
    assert answer.code == 1, answer.text
    assert "Pool pool-b1 has not enough free virtual capacity (HTTP 409)" in one_line(answer)
    finishes(untouched)


def test_a_pool_that_fills_up_during_the_first_copy(untouched: Stage) -> None:
    untouched.write()
    control = untouched.sandbox.control
    assert millpond(untouched.directory, "apply").code == 0
    control.fault(world="pool_full", cloud="ibox-b", name="pool-b1")
    control.advance(60)
    answer = millpond(untouched.directory, "apply")
    assert answer.code == 3
    assert "pool pool-b1 has 0.0 GiB of physical space free" in answer.out
    finishes(untouched)


@contextmanager
def dead_from(stage: Stage, cloud: str, path: str) -> Iterator[None]:
    """The target answers nothing any more once `cloud` was sent a POST to `path`."""
    over, control = Event(), stage.sandbox.control
    control.clear_requests()

    def watch() -> None:
        watching = Control(control.url)
        while not over.wait(0.005):
            if any(seen["cloud"] == cloud and re.search(path, seen["path"]) for seen in watching.mutating()):
                watching.fault(action="drop_before", cloud="target", count=0)
                return

    thread = Thread(target=watch)
    thread.start()
    yield
    over.set()
    thread.join()


@pytest.mark.patient
@pytest.mark.parametrize(
    ("cloud", "path"),
    [("source", "/servers/[^/]+/action$"), ("target", "/servers$")],
    ids=["servers are stopped", "servers are booting"],
)
def test_a_cloud_that_dies_in_the_middle_of_a_cut(stage: Stage, cloud: str, path: str) -> None:
    cutting(stage)
    with dead_from(stage, cloud, path):
        answer = millpond(stage.directory, "apply")
    assert answer.code == 1
    assert OUTAGE.search(answer.out), answer.out
    assert SILENT.search(answer.err), answer.err
    finishes(stage)
    assert {row["vm_state"] for row in stage.rows("target/nova/servers")} == {"active"}
    assert {row["vm_state"] for row in stage.rows("source/nova/servers")} == {"stopped"}


def test_an_api_that_falters_does_not_end_a_cut(stage: Stage) -> None:
    for cloud, service in (("source", "nova"), ("target", "cinder"), ("target", "neutron")):
        stage.sandbox.control.fault(action={"status": 500}, cloud=cloud, service=service, method="GET", skip=12, count=3)
    answer = millpond(cutting(stage).directory, "apply", "--detailed-exitcode")
    assert (answer.code, answer.err) == (0, "")
    finishes(stage)


def test_a_plan_that_cannot_be_written(stage: Stage) -> None:
    (stage.directory / "plans").write_text("not a directory")
    stage.write()
    answer = millpond(stage.directory, "plan", "-o", "plans/plan.json")
    assert answer.code == 1
    assert answer.err.startswith("Error: A file cannot be written\n  Where: plans/plan.json\n")
