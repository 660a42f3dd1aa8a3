"""Faults and kill points, seen by a real client over real sockets; Keystone stands for every service."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
import requests

from tests.sandbox.running import Sandbox

CREATE = """
import json, sys, requests
url, token, names = sys.argv[1], sys.argv[2], sys.argv[3:]
for name in names:
    requests.post(url + "/identity/v3/projects", json={"project": {"name": name}}, headers={"X-Auth-Token": token}, timeout=10)
    print(name, flush=True)
"""


@pytest.fixture(scope="module")
def token(sandbox: Sandbox) -> str:
    user = {"name": "admin", "domain": {"id": "default"}, "password": "admin-secret"}
    scope = {"project": {"name": "admin", "domain": {"id": "default"}}}
    auth = {"auth": {"identity": {"methods": ["password"], "password": {"user": user}}, "scope": scope}}
    return requests.post(sandbox.urls["source"] + "/identity/v3/auth/tokens", json=auth, timeout=10).headers["X-Subject-Token"]


@pytest.fixture(autouse=True)
def no_faults(sandbox: Sandbox) -> Iterator[None]:
    yield
    sandbox.control.clear_faults()


def call(sandbox: Sandbox, token: str, method: str, path: str, document: object = None) -> requests.Response:
    headers = {"X-Auth-Token": token}
    return requests.request(method, sandbox.urls["source"] + path, json=document, headers=headers, timeout=10)


def project_names(sandbox: Sandbox) -> set[str]:
    return {row["name"] for row in sandbox.control.dump()["source/keystone/project"]}


def test_a_status_fault_has_the_services_own_shape_and_is_counted(sandbox: Sandbox, token: str) -> None:
    fault = {"service": "keystone", "cloud": "source", "method": "GET", "path": "/v3/projects$", "skip": 1, "count": 2}
    sandbox.control.fault(**fault, action={"status": 503})
    answers = [call(sandbox, token, "GET", "/identity/v3/projects") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 503, 503, 200]
    assert answers[1].json()["error"]["title"] == "Service Unavailable"


def test_a_status_fault_may_bring_its_own_body(sandbox: Sandbox, token: str) -> None:
    sandbox.control.fault(path="/v3/users", action={"status": 429, "body": {"odd": True}})
    answer = call(sandbox, token, "GET", "/identity/v3/users")
    assert (answer.status_code, answer.json()) == (429, {"odd": True})


@pytest.mark.parametrize(("action", "done"), [("drop_before", False), ("drop_after", True)])
def test_a_dropped_connection(sandbox: Sandbox, token: str, action: str, done: bool) -> None:
    sandbox.control.fault(method="POST", path="/v3/projects", action=action)
    with pytest.raises(requests.ConnectionError):
        call(sandbox, token, "POST", "/identity/v3/projects", {"project": {"name": action}})
    assert (action in project_names(sandbox)) is done


def test_a_delay(sandbox: Sandbox, token: str) -> None:
    sandbox.control.fault(path="/v3/projects", action={"delay": 0.2})
    begun = time.monotonic()
    assert call(sandbox, token, "GET", "/identity/v3/projects").status_code == 200
    assert time.monotonic() - begun >= 0.2


def test_latency_can_be_set_while_it_runs(sandbox: Sandbox, token: str) -> None:
    sandbox.control.settings(latency=0.1)
    begun = time.monotonic()
    call(sandbox, token, "GET", "/identity/v3/projects")
    sandbox.control.settings(latency=0)
    assert time.monotonic() - begun >= 0.1


@pytest.mark.parametrize(
    ("when", "created", "printed"),
    [("before", 2, 2), ("after", 3, 3), ("after_lost", 3, 2)],
)
def test_a_kill_point_ends_the_process_at_one_exact_mutation(sandbox: Sandbox, token: str, when: str, created: int, printed: int) -> None:
    names = [f"{when}-{number}" for number in range(5)]
    command = [sys.executable, "-c", "input()\n" + CREATE, sandbox.urls["source"], token, *names]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        sandbox.control.fault(mutating=True, skip=2, action={"kill": process.pid, "when": when})
        output, _ = process.communicate("\n", timeout=20)
    assert process.returncode == -signal.SIGKILL
    assert output.split() == names[:printed]
    assert project_names(sandbox) & set(names) == set(names[:created])


def test_logins_are_no_mutations_for_a_kill_point(sandbox: Sandbox, token: str) -> None:
    n = sandbox.control.requests()[-1]["n"]
    requests.post(sandbox.urls["source"] + "/identity/v3/auth/tokens", json={"auth": {}}, timeout=10)
    call(sandbox, token, "GET", "/identity/v3/projects")
    call(sandbox, token, "POST", "/identity/v3/projects", {"project": {}})
    entries = sandbox.control.requests(since=n)
    assert [(entry["method"], entry["status"], entry["mutating"]) for entry in entries] == [
        ("POST", 400, False),
        ("GET", 200, False),
        ("POST", 400, True),
    ]
    assert [entry["user"] for entry in entries] == [None, "admin", "admin"]


def test_an_unknown_route_and_an_unknown_method_are_the_services_own_errors(sandbox: Sandbox, token: str) -> None:
    missing = call(sandbox, token, "GET", "/identity/v3/nothing")
    assert (missing.status_code, missing.json()["error"]["code"]) == (404, 404)
    wrong = call(sandbox, token, "PATCH", "/identity/v3/role_assignments", {})
    assert (wrong.status_code, wrong.json()["error"]["code"]) == (405, 405)


def test_without_a_token_every_service_answers_401(sandbox: Sandbox) -> None:
    answer = call(sandbox, "unknown", "GET", "/identity/v3/projects")
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Keystone uri=")


def test_a_malformed_body_is_refused(sandbox: Sandbox, token: str) -> None:
    url = sandbox.urls["source"] + "/identity/v3/projects"
    for text in ("{", json.dumps([]), json.dumps({"project": 3})):
        assert requests.post(url, data=text, headers={"X-Auth-Token": token}, timeout=10).status_code == 400
