"""What the members and the operators of the small world find when they look around with their own tools."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from openstack.connection import Connection

from tests.sandbox.client import openstack
from tests.sandbox.conftest import connect
from tests.sandbox.running import Sandbox, start_sandbox

EVER = "/os-simple-tenant-usage?start=2000-01-01T00:00:00&end=2999-01-01T00:00:00"
CASES = {"start=2020-01-02T00:00:00&end=2020-01-01T00:00:00": "Invalid start time", "start=soon": "Datetime is in invalid format"}


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    running = start_sandbox(tmp_path_factory.mktemp("small"), scenario="small")
    yield running
    assert running.stop() == 0


@pytest.fixture(scope="module")
def operator(small: Sandbox) -> Connection:
    return connect(small, "source-admin")


def test_a_project_used_its_servers_for_as_long_as_they_ran(operator: Connection) -> None:
    acme = operator.identity.find_project("acme").id
    (usage,) = operator.compute.get(EVER + "&detailed=1").json()["tenant_usages"]
    servers = {server.id: server for server in operator.compute.servers(all_projects=True)}
    used = usage["server_usages"]
    assert (usage["tenant_id"], {each["instance_id"] for each in used}) == (acme, {*servers})
    for each in used:
        launched = datetime.fromisoformat(servers[each["instance_id"]].launched_at).replace(tzinfo=UTC)
        assert datetime.fromisoformat(each["started_at"]).replace(tzinfo=UTC) == launched
        assert each["hours"] == pytest.approx(each["uptime"] / 3600, abs=0.001)
    assert usage["total_memory_mb_usage"] == pytest.approx(sum(each["hours"] * each["memory_mb"] for each in used))
    assert operator.compute.get(f"/os-simple-tenant-usage/{acme}").json()["tenant_usage"]["total_hours"] == 0
    assert "server_usages" not in operator.compute.get(EVER).json()["tenant_usages"][0]


@pytest.mark.parametrize(("query", "said"), CASES.items())
def test_a_period_that_is_none_is_refused(operator: Connection, query: str, said: str) -> None:
    answer = operator.compute.get(f"/os-simple-tenant-usage?{query}")
    assert (answer.status_code, said in answer.text) == (400, True)


@pytest.mark.parametrize("cloud", ["source-acme", "source-admin", "target-admin"])
def test_there_is_an_image_to_boot_from(small: Sandbox, cloud: str) -> None:
    assert [(image.name, image.visibility, image.status) for image in connect(small, cloud).image.images()] == [
        ("debian-12", "public", "active")
    ]


def test_a_member_makes_a_bootable_volume_of_it(small: Sandbox) -> None:
    member = connect(small, "source-acme")
    image = member.image.find_image("debian-12")
    volume = member.block_storage.create_volume(name="new-root", size=4, image_id=image.id)
    member.block_storage.wait_for_status(volume, "available", interval=0.1, wait=20)
    assert member.block_storage.get_volume(volume.id).is_bootable
    member.block_storage.delete_volume(volume.id)


@pytest.mark.parametrize("words", [["usage", "list"], ["usage", "show", "--project", "acme"]], ids=" ".join)
def test_the_openstack_client_tells_what_was_used(small: Sandbox, words: list[str]) -> None:
    done = openstack(small, "source-admin", *words, "--format", "json")
    assert (done.code, "CPU Hours" in done.out) == (0, True), done.err
