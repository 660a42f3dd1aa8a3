"""Answers that are JSON, but not what the API answers: told as a failure of that call, never as a defect."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from millpond.errors import NotFound, Retryable, UnknownOutcome, Unreachable
from millpond.providers import transport
from millpond.providers.access import Access
from millpond.providers.open import SiteProviders
from tests.providers.conftest import opened
from tests.sandbox.running import Sandbox

PROJECT = "0123456789abcdef0123456789abcdef"

Ask = Callable[[SiteProviders], object]


@pytest.fixture(autouse=True)
def impatient(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(transport, "PAUSES", ())
    yield
    sandbox.control.clear_faults()


def answers(sandbox: Sandbox, body: str, path: str, **fault: Any) -> None:
    sandbox.control.fault(action={"status": 200, "body": body}, path=path, count=0, **fault)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("{}", "the answer has no `servers` where one belongs"),
        ("[]", "the answer is no JSON object"),
        ("ok", "the answer is no JSON object"),
        ('{"servers": {}}', "`servers` in the answer is no list of objects"),
        ('{"servers": ["web-1"]}', "`servers` in the answer is no list of objects"),
        ('{"servers": [{"name": "web-1"}]}', "the answer has no `id` where one belongs"),
        ('{"servers": [{"id": "1", "os-extended-volumes:volumes_attached": [{}]}]}', "the answer has no `id` where one belongs"),
    ],
)
def test_a_list_of_the_wrong_shape_is_a_failure_of_the_call(sandbox: Sandbox, reader: SiteProviders, body: str, why: str) -> None:
    answers(sandbox, body, "/servers/detail", cloud="source", service="nova")
    with pytest.raises(Retryable) as told:
        reader.source.compute.servers(PROJECT)
    assert told.value.where == "source-admin: GET compute /servers/detail"
    assert told.value.why == why
    assert f"{sandbox.urls['source']}/compute/v2.1" in told.value.fix


SINGLE: list[tuple[str, str, Ask]] = [
    ("nova", "/os-quota-sets/", lambda site: site.source.compute.quota(PROJECT)),
    ("nova", "/servers/7$", lambda site: site.source.compute.server("7")),
    ("nova", "/os-server-groups", lambda site: site.source.compute.server_groups(PROJECT)),
    ("cinder", "/os-quota-sets/", lambda site: site.source.block_storage.quota(PROJECT)),
    ("cinder", "/get_pools", lambda site: site.source.block_storage.storage_pools()),
    ("neutron", "/ports/7$", lambda site: site.source.network.port("7")),
    ("neutron", "/extensions", lambda site: site.source.network.extensions()),
    ("neutron", "/ports", lambda site: site.source.network.ports(PROJECT, [])),
    ("keystone", "/v3/roles", lambda site: site.source.identity.roles()),
]


@pytest.mark.parametrize("body", ["{}", "[]", '{"quota_set": 1, "server": null, "port": [], "pools": 1, "roles": null}'])
@pytest.mark.parametrize(("service", "path", "ask"), SINGLE, ids=[path.strip("/$") + " of " + service for service, path, _ in SINGLE])
def test_so_is_any_other_answer(sandbox: Sandbox, reader: SiteProviders, service: str, path: str, ask: Ask, body: str) -> None:
    answers(sandbox, body, path, cloud="source", service=service)
    with pytest.raises(Retryable, match="the answer") as told:
        ask(reader)
    assert told.value.where.startswith("source-admin: GET ")


def test_what_may_have_come_into_being_is_of_unknown_outcome(sandbox: Sandbox, providers: SiteProviders) -> None:
    answers(sandbox, "{}", "/flavors$", cloud="target", service="nova", method="POST")
    with pytest.raises(UnknownOutcome, match="has no `flavor`"):
        providers.target.compute.create_flavor({"name": "m1", "vcpus": 1, "ram": 1, "disk": 1})
    answers(sandbox, "{}", "/cgs", cloud="ibox-a", method="POST")
    with pytest.raises(UnknownOutcome, match="has no `result`"):
        providers.array("ibox-a").create_group("strange", "pool-a1")


@pytest.mark.parametrize("body", ["{}", "[]", '{"result": 1, "metadata": {"number_of_objects": 1}}', '{"result": [{}], "metadata": {}}'])
@pytest.mark.parametrize(
    ("path", "ask"),
    [
        ("/system", lambda array: array.facts()),
        ("/pools", lambda array: array.pools()),
        ("/replicas", lambda array: array.replicas()),
        ("/system", lambda array: array.clock()),
    ],
)
def test_an_array_is_no_exception(sandbox: Sandbox, path: str, ask: Callable[[Any], object], body: str) -> None:
    array = opened(sandbox, Access.READ).array("ibox-a")
    array.pools()
    answers(sandbox, body, path, cloud="ibox-a", method="GET")
    with pytest.raises(Retryable) as told:
        ask(array)
    assert told.value.where == f"ibox-a: GET {path.strip('/')}"
    assert "answer" in told.value.why
    assert sandbox.host("ibox-a") in told.value.fix


@pytest.mark.parametrize("body", ["{}", "[]"])
def test_what_is_no_array_is_told_at_the_login(sandbox: Sandbox, body: str) -> None:
    answers(sandbox, body, "", cloud="ibox-b")
    with pytest.raises((Unreachable, Retryable), match=r"ibox-b|answer"):
        opened(sandbox, Access.READ).array("ibox-b").pools()


def test_a_list_that_is_not_found_says_whose_endpoint_to_look_at(sandbox: Sandbox, reader: SiteProviders) -> None:
    sandbox.control.fault(action={"status": 404}, path="/servers/detail", cloud="source", service="nova", count=0)
    with pytest.raises(NotFound) as told:
        reader.source.compute.servers(PROJECT)
    url = f"{sandbox.urls['source']}/compute/v2.1"
    assert told.value.fix == f"This endpoint of compute in Keystone's catalogue is probably wrong, or a proxy answers there: {url}."
