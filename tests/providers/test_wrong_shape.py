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


SERVER = '{"servers": [{"id": "7", %s}]}'
WRONG_TYPES: list[tuple[str, str, str, Ask, str]] = [
    (
        "nova", "/servers/detail", SERVER % '"name": 17', lambda site: site.source.compute.servers(PROJECT),
        "the server 7 in the answer: in `name` a whole number stands where a text belongs",
    ),
    (
        "nova", "/servers/detail", SERVER % '"flavor": {"vcpus": "many"}', lambda site: site.source.compute.servers(PROJECT),
        "the server 7 in the answer has something else where a number belongs",
    ),
    (
        "nova", "/servers/detail", SERVER % '"addresses": ["10.0.0.1"]', lambda site: site.source.compute.servers(PROJECT),
        "the server 7 in the answer has something else where a text, a list or an object belongs",
    ),
    (
        "nova", "/servers/detail", SERVER % '"tags": [1]', lambda site: site.source.compute.servers(PROJECT),
        "the server 7 in the answer: in `tags` a whole number stands where a text belongs",
    ),
    (
        "nova", "/os-quota-sets/", '{"quota_set": {"cores": {"limit": "x"}}}', lambda site: site.source.compute.quota(PROJECT),
        "a detailed quota in the answer has something else where a number belongs",
    ),
    (
        "neutron", "/ports/7$", '{"port": {"id": "7", "network_id": 5, "mac_address": "fa:16:3e:00:00:01"}}',
        lambda site: site.source.network.port("7"),
        "the port 7 in the answer: in `network_id` a whole number stands where a text belongs",
    ),
    (
        "cinder", "/volumes/detail", '{"volumes": [{"id": "7", "size": "big"}]}', lambda site: site.source.block_storage.volumes(PROJECT),
        "the volume 7 in the answer has something else where a number belongs",
    ),
    (
        "cinder", "/snapshots/detail", '{"snapshots": [{"id": "7", "volume_id": ["8"]}]}',
        lambda site: site.source.block_storage.snapshots(PROJECT),
        "the snapshot 7 in the answer: in `volume_id` a list stands where a text belongs",
    ),
    (
        "cinder", "/backups/detail", '{"backups": [{"id": "7", "volume_id": 8}]}', lambda site: site.source.block_storage.backups(PROJECT),
        "the backup 7 in the answer: in `volume_id` a whole number stands where a text belongs",
    ),
    (
        "glance", "/v2/images", '{"images": [{"id": "7", "name": ["golden"]}]}', lambda site: site.source.image.images(PROJECT),
        "the image 7 in the answer: in `name` a list stands where a text belongs",
    ),
    (
        "keystone", "/v3/projects", '{"projects": [{"id": "7", "name": {}}]}', lambda site: site.source.identity.projects("acme", "Default"),
        "the project 7 in the answer: in `name` an object stands where a text belongs",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("service", "path", "body", "ask", "why"), WRONG_TYPES)
def test_a_value_of_another_type_is_told_with_the_call_and_what_belongs_there(
    sandbox: Sandbox, reader: SiteProviders, service: str, path: str, body: str, ask: Ask, why: str
) -> None:
    answers(sandbox, body, path, cloud="source", service=service)
    with pytest.raises(Retryable) as told:
        ask(reader)
    assert told.value.where.startswith("source-admin: GET ")
    assert told.value.why == why


def test_what_is_of_the_wrong_type_is_not_quoted(sandbox: Sandbox, reader: SiteProviders) -> None:
    answers(sandbox, SERVER % '"OS-EXT-SRV-ATTR:user_data": "canary-7", "name": {"canary-7": 1}', "/servers/detail", cloud="source")
    with pytest.raises(Retryable) as told:
        reader.source.compute.servers(PROJECT)
    assert "canary-7" not in str(vars(told.value))


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


ARRAY: list[tuple[str, str, Callable[[Any], object], str]] = [
    (
        "/pools", '{"result": [{"id": 1, "name": "p", "free_physical_space": "full", "free_virtual_space": 1}], "metadata": {"number_of_objects": 1}}',
        lambda array: array.pools(), "the pool 1 in the answer has something else where a number belongs",
    ),
    (
        "/pools", '{"result": [{"id": "1", "name": 2, "free_physical_space": 1, "free_virtual_space": 1}], "metadata": {"number_of_objects": 1}}',
        lambda array: array.pools(), "the pool 1 in the answer: in `id` a text stands where a whole number belongs",
    ),
    (
        "/pools", '{"result": [], "metadata": {"number_of_objects": "none"}}',
        lambda array: array.pools(), "`number_of_objects` in the answer is no whole number",
    ),
    (
        "/system", '{"result": {"localtime": {"utc_time": "noon"}}, "metadata": {}}',
        lambda array: array.clock(), "`utc_time` in the answer is no whole number",
    ),
    (
        "/replicas", '{"result": [{"id": 1, "role": "SOURCE", "restore_point": "noon"}], "metadata": {"number_of_objects": 1}}',
        lambda array: array.replicas(), "the replica 1 in the answer has something else where a number belongs",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("path", "body", "ask", "why"), ARRAY)
def test_an_arrays_values_have_types_too(sandbox: Sandbox, path: str, body: str, ask: Callable[[Any], object], why: str) -> None:
    array = opened(sandbox, Access.READ).array("ibox-a")
    array.pools()
    answers(sandbox, body, path, cloud="ibox-a", method="GET")
    with pytest.raises(Retryable) as told:
        ask(array)
    assert (told.value.where, told.value.why) == (f"ibox-a: GET {path.strip('/')}", why)


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
