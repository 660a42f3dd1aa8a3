"""What changes between plan and apply: refused with its reason, and nothing sent; or part of what was reviewed."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import requests
from openstack.connection import Connection

from tests.sandbox.conftest import connect
from tests.story.command import millpond
from tests.story.stage import Stage


@pytest.fixture
def saved(stage: Stage) -> Stage:
    """A tenant whose cutover is planned, the plan saved as plan.json."""
    stage.site_spec = {"limits": {"request_timeout": "10s", "mac_move": "0s", "poll": "50ms"}}
    stage.manifest["cutover"] = True
    stage.write()
    assert millpond(stage.directory, "plan", "-o", "plan.json").code == 0
    return stage


def edited(stage: Stage, **values: Any) -> None:
    path = stage.directory / "plan.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def resize(stage: Stage) -> None:
    control, alice = connect(stage.sandbox, "source-admin"), connect(stage.sandbox, "source-acme")
    flavor = control.compute.create_flavor(name="m9.big", vcpus=2, ram=4096, disk=0)
    server = alice.compute.find_server("web-1")
    assert server is not None
    alice.compute.resize_server(server, flavor)
    alice.compute.wait_for_server(server, status="VERIFY_RESIZE", interval=0.05)
    alice.compute.confirm_server_resize(server)
    alice.compute.wait_for_server(server, interval=0.05)


def add_port(stage: Stage) -> None:
    alice = connect(stage.sandbox, "source-acme")
    server, network = alice.compute.find_server("web-1"), alice.network.find_network("app")
    assert server is not None
    assert network is not None
    port = alice.network.create_port(network_id=network.id, name="late")
    alice.compute.create_server_interface(server, port_id=port.id)


def drop_rule(stage: Stage) -> None:
    alice = connect(stage.sandbox, "source-acme")
    rule = next(rule for rule in alice.network.security_group_rules() if rule.port_range_min == 443)
    alice.network.delete_security_group_rule(rule)


def suspend(stage: Stage) -> None:
    box = stage.sandbox.urls["ibox-a"]
    for row in stage.rows("ibox-a/replicas"):
        answer = requests.post(f"{box}/api/rest/replicas/{row['id']}/suspend", auth=("admin", "123456"), timeout=10)
        assert answer.ok, answer.text


def delete_target(stage: Stage) -> None:
    admin = connect(stage.sandbox, "target-admin")
    row = next(row for row in stage.rows("target/neutron/security_group_rules") if row.get("port_range_min") == 443)
    admin.network.delete_security_group_rule(row["id"])


def edit_manifest(stage: Stage) -> None:
    stage.manifest["quotas"] = {"cores": 40}
    stage.write()


def expire(stage: Stage) -> None:
    edited(stage, expires="2020-01-01T00:00:00+00:00")


def upgrade(stage: Stage) -> None:
    edited(stage, tool_version="99.0.0")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (resize, "acme/server/web-1: flavor was m1.volume, is m9.big on the source"),
        (add_port, "acme/server/web-1: port_ids gained "),
        (drop_rule, "acme/security_group/web: rules lost ingress IPv4 tcp 443 443 0.0.0.0/0 on the source"),
        (suspend, "acme/replication_group/rest-p1#resume_for_sync: replication was suspended by other hands"),
        (delete_target, "#create_rule: this change was not reviewed"),
        (edit_manifest, "the documents of acme changed since the plan was made: acme: reviewed sha256:"),
        (expire, "it expired at 2020-01-01"),
        (upgrade, "Millpond 99.0.0 made it"),
    ],
)
def test_it_is_stale_and_says_why(saved: Stage, change: Callable[[Stage], None], reason: str) -> None:
    change(saved)
    with saved.counted() as mutating:
        answer = millpond(saved.directory, "apply", "plan.json")
    assert (answer.code, mutating) == (4, []), answer.text
    assert reason in " ".join(answer.err.split()), answer.err


def test_a_volume_that_was_extended_makes_it_stale(untouched: Stage) -> None:
    """Before it is replicated: afterwards the array refuses."""
    untouched.write()
    assert millpond(untouched.directory, "plan", "-o", "plan.json").code == 0
    alice = connect(untouched.sandbox, "source-acme")
    volume = next(volume for volume in alice.block_storage.volumes() if volume.name == "db-1-data")
    alice.block_storage.default_microversion = "3.42"
    alice.block_storage.extend_volume(volume, volume.size + 1)
    alice.block_storage.wait_for_status(volume, "in-use", interval=0.05)
    with untouched.counted() as mutating:
        answer = millpond(untouched.directory, "apply", "plan.json")
    assert (answer.code, mutating) == (4, []), answer.text
    assert f"acme/volume/db-1-data: size was {volume.size}" in " ".join(answer.err.split())


def limit(stage: Stage, cores: int) -> None:
    admin, project = target_project(stage)
    admin.set_compute_quotas(project, cores=cores)


def cores(stage: Stage) -> int:
    admin, project = target_project(stage)
    return int(admin.get_compute_quotas(project).cores)


def target_project(stage: Stage) -> tuple[Connection, str]:
    admin = connect(stage.sandbox, "target-admin")
    domain = admin.identity.find_domain("customers", ignore_missing=False)
    return admin, admin.identity.find_project("acme", domain_id=domain.id, ignore_missing=False).id


@pytest.fixture
def raised(stage: Stage) -> Stage:
    """A tenant that is to have more cores than it has on the target, which is reviewed."""
    stage.manifest["quotas"] = {"cores": 60}
    stage.write()
    assert millpond(stage.directory, "plan", "-o", "plan.json").code == 0
    return stage


def test_a_limit_that_an_admin_set_meanwhile_is_not_overwritten(raised: Stage) -> None:
    limit(raised, 999)
    with raised.counted() as mutating:
        answer = millpond(raised.directory, "apply", "plan.json")
    assert (answer.code, mutating) == (4, []), answer.text
    assert "acme/quota/compute#update: cores is 999, reviewed was a change from 20" in " ".join(answer.err.split())
    assert cores(raised) == 999


def test_a_limit_that_an_admin_set_to_what_was_reviewed_is_done(raised: Stage) -> None:
    limit(raised, 60)
    with raised.counted() as mutating:
        assert millpond(raised.directory, "apply", "plan.json").code == 0
    assert mutating == []
    limit(raised, 20)
    assert millpond(raised.directory, "apply", "plan.json").code == 0
    assert cores(raised) == 60


def test_what_a_new_project_begins_with_was_not_known_and_makes_nothing_stale(untouched: Stage) -> None:
    untouched.manifest["quotas"] = {"cores": 60}
    untouched.write()
    assert millpond(untouched.directory, "plan", "-o", "plan.json").code == 0
    answer = millpond(untouched.directory, "apply", "plan.json")
    assert (answer.code, answer.err) == (0, ""), answer.text
    assert cores(untouched) == 60


@pytest.mark.parametrize("what", ["clouds", "arrays"])
def test_another_cloud_or_array_of_the_same_name_makes_it_stale(saved: Stage, what: str) -> None:
    known = json.loads((saved.directory / "plan.json").read_text())["identities"]
    assert known["clouds"]["target-admin"].startswith("http://")
    assert set(known["arrays"]) == {"ibox-a", "ibox-b"}
    assert all(serial.isdigit() for serial in known["arrays"].values())
    edited(saved, identities={**known, what: dict.fromkeys(known[what], "another")})
    with saved.counted() as mutating:
        answer = millpond(saved.directory, "apply", "plan.json")
    assert (answer.code, mutating) == (4, []), answer.text
    assert "another" in answer.err


def test_replication_goes_on_meanwhile(saved: Stage) -> None:
    saved.sandbox.control.advance(1800)
    assert millpond(saved.directory, "apply", "plan.json", "--detailed-exitcode").code == 0


def test_another_run_on_the_same_commit_got_further(saved: Stage) -> None:
    saved.sandbox.control.fault(action={"status": 400}, cloud="target", service="nova", method="POST", path="/servers$", count=0)
    assert millpond(saved.directory, "apply", "acme").code == 1
    saved.sandbox.control.clear_faults()
    answer = millpond(saved.directory, "apply", "plan.json", "--detailed-exitcode")
    assert (answer.code, answer.err) == (0, ""), answer.text


def test_another_digest_than_expected_tells_both(saved: Stage) -> None:
    digest = json.loads((saved.directory / "plan.json").read_text())["digest"]
    edit_manifest(saved)
    answer = millpond(saved.directory, "apply", "--expect-digest", digest)
    assert answer.code == 4
    assert f"expected: {digest}" in answer.err
    assert "now: sha256:" in " ".join(answer.err.split())
    assert "acme: sha256:" in answer.err
    assert answer.err.endswith("\n\n    millpond plan -o plan.json\n")
