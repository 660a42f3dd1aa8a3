import pytest
import requests

from tests.sandbox.conftest import connect
from tests.sandbox.running import Sandbox, start_sandbox


@pytest.mark.parametrize(
    "wrong",
    [
        {"action": "explode"},
        {"action": {"kill": 1, "when": "before"}},
        {"action": {"kill": 4242, "when": "sometime"}},
        {"action": {"status": 500}, "colour": "red"},
        {"action": {"status": 500}, "path": "("},
        {"world": "flood"},
        {},
    ],
)
def test_refuses_what_is_no_fault(sandbox: Sandbox, wrong: dict[str, object]) -> None:
    with pytest.raises(requests.HTTPError) as refusal:
        sandbox.control.fault(**wrong)
    assert refusal.value.response.status_code == 400
    assert sandbox.control.call("GET", "/faults") == {"faults": []}


def test_faults_of_the_world_come_and_go(sandbox: Sandbox) -> None:
    sandbox.control.fault(world="link_down")
    boot = sandbox.control.fault(world="boot_error", name="web-1", times=1, launched=True)
    sandbox.control.fault(world="link_up")
    assert [fault["world"] for fault in sandbox.control.call("GET", "/faults")["faults"]] == ["boot_error"]
    sandbox.control.call("DELETE", f"/faults/{boot}")
    assert sandbox.control.call("GET", "/faults") == {"faults": []}


def test_settings_and_clock_can_be_turned(sandbox: Sandbox) -> None:
    before = sandbox.control.now()
    sandbox.control.settings(speed=0)
    frozen = sandbox.control.now()
    sandbox.control.advance(3600)
    assert sandbox.control.now() == pytest.approx(frozen + 3600)
    sandbox.control.settings(speed=50)
    assert before < frozen
    with pytest.raises(requests.HTTPError):
        sandbox.control.settings(sped=1)
    with pytest.raises(requests.HTTPError):
        sandbox.control.advance(-1)


def test_snapshot_and_restore(sandbox: Sandbox, source: object) -> None:
    start = sandbox.control.digest()
    snapshot = sandbox.control.snapshot()
    source.identity.create_project(name="fleeting", tags=["millpond"])  # type: ignore[attr-defined]
    changed = sandbox.control.digest()
    assert changed["sha256"] != start["sha256"]
    assert changed["clouds"]["source"]["keystone"]["projects"]["Default/fleeting"]["tags"] == ["millpond"]
    sandbox.control.restore(snapshot)
    assert sandbox.control.digest() == start


def test_the_same_deeds_in_other_order_have_the_same_digest(sandbox: Sandbox, source: object) -> None:
    snapshot = sandbox.control.snapshot()
    digests = []
    for names in (("one", "two"), ("two", "one")):
        for name in names:
            source.identity.create_project(name=name)  # type: ignore[attr-defined]
        digests.append(sandbox.control.digest())
        sandbox.control.restore(snapshot)
    assert digests[0] == digests[1]


def test_requests_can_be_forgotten_and_numbers_go_on(sandbox: Sandbox, source: object) -> None:
    list(source.identity.projects())  # type: ignore[attr-defined]
    last = sandbox.control.requests()[-1]["n"]
    sandbox.control.clear_requests()
    assert sandbox.control.requests() == []
    list(source.identity.projects())  # type: ignore[attr-defined]
    assert sandbox.control.requests()[0]["n"] == last + 1
    assert sandbox.control.call("GET", "/requests")["counters"]["source/keystone GET"] >= 1


def test_state_and_tokens_survive_a_restart(tmp_path_factory: pytest.TempPathFactory) -> None:
    running = start_sandbox(tmp_path_factory.mktemp("restart"), scenario="none", ml2="ovn")
    try:
        user = {"name": "admin", "domain": {"id": "default"}, "password": "admin-secret"}
        auth = {"auth": {"identity": {"methods": ["password"], "password": {"user": user}}, "scope": {"system": {"all": True}}}}
        url = running.urls["target"] + "/identity/v3"
        headers = {"X-Auth-Token": requests.post(url + "/auth/tokens", json=auth, timeout=10).headers["X-Subject-Token"]}
        requests.post(url + "/projects", json={"project": {"name": "lasting"}}, headers=headers, timeout=10).raise_for_status()
        before = running.control.digest()
        running = running.restarted()
        assert running.control.digest() == before
        names = [row["name"] for row in requests.get(url + "/projects", headers=headers, timeout=10).json()["projects"]]
        assert "lasting" in names
        assert running.control.dump()["world/releases"][1]["ml2"] == "ovn"
    finally:
        assert running.stop() == 0


def test_what_was_answered_survives_a_kill(tmp_path_factory: pytest.TempPathFactory) -> None:
    running = start_sandbox(tmp_path_factory.mktemp("killed"), scenario="none")
    try:
        connect(running, "source-admin").identity.create_project(name="answered")
        running.process.kill()
        running.process.wait()
        running = running.restarted()
        assert "Default/answered" in running.control.digest()["clouds"]["source"]["keystone"]["projects"]
    finally:
        running.stop()


def test_an_array_can_be_given_another_firmware(sandbox: Sandbox) -> None:
    assert sandbox.control.firmware("ibox-a", both_targets_allowed=False)["both_targets_allowed"] is False
    answer = requests.get(sandbox.urls["ibox-a"] + "/api/rest/system", auth=("admin", "123456"), timeout=10)
    assert answer.json()["result"]["version"] == sandbox.control.firmware("ibox-a", both_targets_allowed=True)["version"]
    with pytest.raises(requests.HTTPError):
        sandbox.control.firmware("ibox-a", colour="red")
    with pytest.raises(requests.HTTPError):
        sandbox.control.firmware("ibox-z")
