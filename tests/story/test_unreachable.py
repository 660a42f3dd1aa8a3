"""Services that are gone, that somebody else answers for, or whose replies are lost: every verb says it, and nothing is done twice."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import pytest
import yaml

from millpond.providers import transport
from tests.story.command import Answer, millpond
from tests.story.stage import Stage
from tests.story.test_faults import cut, whole
from tests.story.worlds import INVENTORY

VERBS = ("plan", "apply", "status", "drift", "report")
DEAD_CLOUD = """Error: A service cannot be reached
  Where: {cloud}: GET /identity/v3
  Why:   Keystone of cloud {cloud}: connection refused
  To do: Check auth_url, the network and cacert in clouds.yaml.
"""
DEAD_ARRAY = """Error: A service cannot be reached
  Where: {array}: GET /api/rest/_features
  Why:   array {array}: connection refused
  To do: Check address, port, tls and ca_file of array {array} in millpond.yaml.
"""


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is asked again after seconds is asked again at once."""
    monkeypatch.setattr(transport, "PAUSES", (0.01, 0.02, 0.03))


def dead_cloud(stage: Stage, patch: pytest.MonkeyPatch, cloud: str) -> None:
    clouds = yaml.safe_load(stage.sandbox.clouds_yaml.read_text())
    clouds["clouds"][cloud]["auth"]["auth_url"] = "http://127.0.0.12:9/identity/v3"
    (stage.directory / "clouds.yaml").write_text(yaml.safe_dump(clouds))
    patch.setenv("OS_CLIENT_CONFIG_FILE", str(stage.directory / "clouds.yaml"))


def dead_array(stage: Stage, array: str) -> None:
    stage.site_spec = {"arrays": [{**stage._array(name), **({"port": 9} if name == array else {})} for name in ("ibox-a", "ibox-b")]}
    stage.write()


def refused(stage: Stage, *words: str) -> Answer:
    """Told with 1 and nothing else, nothing sent, no trace kept."""
    before = (stage.directory / INVENTORY).read_bytes()
    with stage.counted() as mutating:
        answer = millpond(stage.directory, *words)
    assert (answer.code, answer.out, mutating) == (1, "", []), (words, answer)
    assert (stage.directory / INVENTORY).read_bytes() == before
    assert list((stage.directory / ".millpond").glob("trace-*")) == []
    return answer


def cutting(stage: Stage) -> Stage:
    stage.manifest["cutover"] = True
    stage.write()
    return stage


@pytest.mark.parametrize("cloud", ["source-admin", "target-admin"])
def test_every_verb_tells_a_cloud_that_is_gone(stage: Stage, monkeypatch: pytest.MonkeyPatch, cloud: str) -> None:
    dead_cloud(cutting(stage), monkeypatch, cloud)
    verbs: list[tuple[str, ...]] = [(verb,) for verb in VERBS]
    for words in (*verbs, *([("discover", "acme")] if cloud == "source-admin" else [])):
        assert refused(stage, *words).err == DEAD_CLOUD.format(cloud=cloud), words
    assert millpond(stage.directory, "validate").code == 0


@pytest.mark.parametrize("array", ["ibox-a", "ibox-b"])
def test_every_verb_tells_an_array_that_is_gone(stage: Stage, array: str) -> None:
    dead_array(cutting(stage), array)
    for verb in VERBS:
        assert refused(stage, verb).err == DEAD_ARRAY.format(array=array), verb
    assert millpond(stage.directory, "discover", "acme").code == 0


PAGE = {"status": 200, "body": "<html><body>Down for maintenance</body></html>"}


@pytest.mark.parametrize(
    ("fault", "where"),
    [
        ({"cloud": "source", "service": "nova"}, r"source-admin: GET /compute/v2\.1/\S*"),
        ({"cloud": "source", "service": "nova", "path": "/servers/detail"}, r"source-admin: GET /compute/v2\.1/servers/detail"),
        ({"cloud": "target", "service": "cinder"}, r"target-admin: GET /volume/v3/\S*"),
        ({"cloud": "target", "service": "neutron"}, r"target-admin: GET /network/v2\.0/\S+"),
        ({"cloud": "target", "service": "keystone", "path": "/projects"}, r"target-admin: GET /identity/v3/projects"),
        ({"cloud": "ibox-a"}, r"ibox-a: \S+ /api/rest/\S+"),
    ],
    ids=["Nova", "servers", "Cinder", "Neutron", "projects", "array"],
)
def test_a_page_for_people_is_not_taken_for_an_answer(stage: Stage, fault: dict[str, Any], where: str) -> None:
    stage.sandbox.control.fault(action=PAGE, count=0, **fault)
    told = refused(cutting(stage), "apply").err
    assert re.search(rf"  Where: {where}\n  Why:   (?:array ibox-a: )?a page came back where the API should answer\n  To do: ", told), told
    assert "maintenance</" not in told
    stage.sandbox.control.clear_faults()
    assert millpond(stage.directory, "plan").code == 0


@pytest.mark.parametrize("verb", ["plan", "discover"])
def test_json_of_another_shape_is_a_failure_of_the_call(stage: Stage, verb: str) -> None:
    shape = {"status": 200, "body": "{}"}
    stage.sandbox.control.fault(action=shape, cloud="source", service="nova", path="/servers/detail", count=0)
    told = " ".join(refused(cutting(stage), verb, "acme").err.split())
    assert told.startswith("Error: A call failed Where: source-admin: GET compute /servers/detail Why: the answer has no `servers` where")
    assert f"see what stands at {stage.sandbox.urls['source']}/compute/v2.1, and run this again." in told


def test_a_list_that_is_not_found_leads_to_the_catalogue(stage: Stage) -> None:
    stage.sandbox.control.fault(action={"status": 404}, cloud="target", service="nova", path="/servers/detail", count=0)
    told = " ".join(refused(cutting(stage), "plan").err.split())
    assert "Where: target-admin: GET compute /servers/detail" in told
    assert "To do: This endpoint of compute in Keystone's catalogue is probably wrong, or a proxy answers there: http://" in told


def test_a_token_that_expires_in_a_cut_is_renewed(stage: Stage) -> None:
    control = stage.sandbox.control
    cutting(stage)
    control.clear_requests()
    assert millpond(stage.directory, "plan", "acme").code == 0
    before = logins(stage)
    control.clear_requests()
    for cloud, service, method in (("source", "nova", "GET"), ("target", "cinder", "POST"), ("target", "nova", "POST")):
        control.fault(action={"status": 401}, cloud=cloud, service=service, method=method, skip=1, count=1)
    for array in ("ibox-a", "ibox-b"):
        control.fault(action={"status": 401}, cloud=array, method="GET", path="/replicas", skip=2, count=1)
    answer = millpond(stage.directory, "apply", "--detailed-exitcode")
    assert (answer.code, answer.err) == (0, ""), answer.text
    whole(stage)
    assert all(logins(stage)[name] > times for name, times in before.items()), (before, logins(stage))


def logins(stage: Stage) -> Counter[str]:
    """How often each cloud and array was logged in to."""
    sent = (
        seen
        for seen in stage.sandbox.control.requests()
        if seen["method"] == "POST" and seen["path"].partition("?")[0].endswith(transport.LOGINS)
    )
    return Counter(seen["cloud"] for seen in sent)


def test_a_login_that_is_revoked_in_a_cut_tells_the_outage(stage: Stage) -> None:
    control = stage.sandbox.control
    control.fault(action={"status": 401}, cloud="target", service="nova", method="POST", path="/servers$", count=0)
    answer = millpond(cutting(stage).directory, "apply")
    assert answer.code == 1, answer.text
    assert "OUTAGE IN PROGRESS" in answer.out
    assert "The login has expired or was revoked" in " ".join(answer.out.split())
    control.clear_faults()
    assert cut(stage) == []
    whole(stage)


CREATES = (
    ("keystone", "/projects$"),
    ("keystone", "/users$"),
    ("nova", "/os-keypairs$"),
    ("nova", "/flavors$"),
    ("nova", "/os-server-groups$"),
    ("neutron", "/security-groups$"),
    ("neutron", "/security-group-rules$"),
    ("neutron", "/networks$"),
    ("neutron", "/subnets$"),
    ("neutron", "/ports$"),
    ("neutron", "/routers$"),
    ("neutron", "/floatingips$"),
    ("cinder", "/volumes$"),
    ("infinibox", r"/cgs(\?|$)"),
    ("infinibox", r"/replicas(\?|$)"),
)


def test_the_lost_reply_of_any_create_makes_no_second_one(untouched: Stage) -> None:
    """The first two of each kind are carried out, and their replies are lost."""
    stage = untouched
    wanted = owned(stage, "source")
    for service, path in CREATES:
        stage.sandbox.control.fault(action="drop_after", service=service, method="POST", path=path, count=2)
    stage.manifest["cutover"] = True
    with stage.counted() as mutating:
        result = stage.settle()
    assert not result.remaining, (result.plan.tenants[0].steps, result.plan.tenants[0].blockers)
    sent = {path for _, path in CREATES if any(seen["method"] == "POST" and re.search(path, seen["path"]) for seen in mutating)}
    assert sent >= {path for _, path in CREATES} - {"/flavors$", "/os-server-groups$"}
    assert owned(stage, "target") == wanted
    for table in ("cgs", "replicas"):
        assert len(stage.rows(f"ibox-a/{table}")) == len(stage.rows(f"ibox-b/{table}")) > 0
    assert len(stage.rows("ibox-b/volumes")) == wanted["cinder/volumes"]
    whole(stage)


def owned(stage: Stage, cloud: str) -> dict[str, int]:
    """How many objects of each kind the tenant has on one side; ports without those that a side makes by itself."""
    (project,) = (row["id"] for row in stage.rows(f"{cloud}/keystone/project") if row["name"] == "acme")
    kinds = ("networks", "subnets", "routers", "floatingips", "security_groups", "security_group_rules")
    tables = ("nova/servers", "cinder/volumes", *(f"neutron/{kind}" for kind in kinds))
    counts = {table: sum(1 for row in stage.rows(f"{cloud}/{table}") if row["project_id"] == project) for table in tables}
    ports = [row for row in stage.rows(f"{cloud}/neutron/ports") if row["project_id"] == project]
    return {**counts, "neutron/ports": sum(1 for row in ports if row["device_owner"].startswith("compute:"))}
