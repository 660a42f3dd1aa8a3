import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests

from millpond.errors import Refused, Retryable, UnknownOutcome, Unreachable
from millpond.model.secret import Secret
from millpond.model.site import Limits
from millpond.providers import transport
from millpond.providers.access import Access
from millpond.providers.open import SiteProviders
from millpond.providers.openstack.service import has_next, revealed, without
from millpond.providers.transport import Transport
from tests.providers.conftest import opened
from tests.sandbox.running import Sandbox


@pytest.fixture(autouse=True)
def no_faults(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(transport, "PAUSES", (0.01, 0.02, 0.03))
    yield
    sandbox.control.clear_faults()


def fault(sandbox: Sandbox, action: Any, method: str, count: int = 1, **where: str) -> None:
    sandbox.control.fault(action=action, method=method, count=count, **where)


@pytest.mark.parametrize("action", [{"status": 503}, {"status": 504}, "drop_before", "drop_after"])
def test_reads_are_repeated(sandbox: Sandbox, providers: SiteProviders, action: Any) -> None:
    cloud = providers.target
    fault(sandbox, action, "GET", count=2, path="/domains")
    assert "Default" in cloud.identity.domains()


def test_reads_that_fail_for_long_may_be_tried_later(sandbox: Sandbox, providers: SiteProviders) -> None:
    cloud, array = providers.target, providers.array("ibox-a")
    array.clock()
    fault(sandbox, {"status": 503}, "GET", count=0)
    with pytest.raises(Retryable):
        cloud.identity.domains()
    with pytest.raises(Retryable):
        array.clock()


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ({"status": 503}, Retryable),
        ({"status": 429}, Retryable),
        ({"status": 500}, UnknownOutcome),
        ({"status": 502}, UnknownOutcome),
        ("drop_before", UnknownOutcome),
        ("drop_after", UnknownOutcome),
        ({"delay": 3}, UnknownOutcome),
    ],
)
def test_writes_are_sent_once(sandbox: Sandbox, action: Any, expected: type[Exception]) -> None:
    providers = opened(sandbox, Access.WRITE, Limits(request_timeout=2))
    cloud, array = providers.target, providers.array("ibox-a")
    cloud.identity.domains()
    array.clock()
    last = sandbox.control.requests()[-1]["n"]
    fault(sandbox, action, "DELETE", count=0)
    for write in (lambda: cloud.identity.delete_project("absent"), lambda: array.delete_volume(1)):
        with pytest.raises(Retryable) as caught:
            write()
        assert type(caught.value) is expected
    assert len([one for one in sandbox.control.requests(last) if one["method"] == "DELETE"]) == 2


def test_a_created_object_whose_reply_is_lost_is_there(sandbox: Sandbox, providers: SiteProviders) -> None:
    identity = providers.target.identity
    fault(sandbox, "drop_after", "POST", path="/projects")
    with pytest.raises(UnknownOutcome):
        identity.create_project({"name": "lost", "domain_id": "default"})
    [project] = identity.projects("lost", "Default")
    identity.delete_project(project.id)


def test_no_more_requests_in_flight_than_allowed(sandbox: Sandbox) -> None:
    cloud = opened(sandbox, Access.READ, Limits(requests=2)).target
    cloud.identity.domains()
    sandbox.control.settings(latency=0.2)
    try:
        began = time.monotonic()
        with ThreadPoolExecutor(8) as threads:
            list(threads.map(lambda _: cloud.identity.roles(), range(6)))
        assert 0.55 < time.monotonic() - began < 1.1
    finally:
        sandbox.control.settings(latency=0)


def test_many_threads_may_use_one_login(sandbox: Sandbox) -> None:
    providers = opened(sandbox, Access.READ)
    with ThreadPoolExecutor(8) as threads:
        arrays = threads.map(lambda at: providers.array(f"ibox-{'ab'[at % 2]}").facts().name, range(16))
        assert set(arrays) == {"ibox-a", "ibox-b"}
        assert all(threads.map(lambda _: providers.source.identity.domains(), range(16)))


ASKED: list[Callable[[SiteProviders], object]] = [
    lambda providers: providers.target.identity.domains(),
    lambda providers: providers.array("ibox-a").clock(),
]


@pytest.mark.parametrize("ask", ASKED, ids=["cloud", "array"])
def test_proxies_of_the_environment_hold_for_what_it_does_not_except(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, ask: Callable[[SiteProviders], object]
) -> None:
    with monkeypatch.context() as environment:
        for name in ("no_proxy", "NO_PROXY", "HTTP_PROXY"):
            environment.delenv(name, raising=False)
        environment.setenv("http_proxy", "http://127.0.0.1:9")
        with pytest.raises(Unreachable):
            ask(opened(sandbox, Access.READ))
        environment.setenv("no_proxy", "127.0.0.0/8")
        assert ask(opened(sandbox, Access.READ))


def test_what_a_netrc_holds_is_sent_to_no_service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login ada password of-another-service\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    asked: list[requests.PreparedRequest] = []
    session, seam = requests.Session(), Transport("cloud", Access.READ, Limits())
    seam.seal(session)
    monkeypatch.setattr(seam, "send", lambda request, **_: asked.append(request) or requests.Response())
    session.get("http://127.0.0.1:9/")
    assert "Authorization" not in asked[0].headers


def test_an_array_s_failure_shows_no_cookie(sandbox: Sandbox, providers: SiteProviders) -> None:
    array: Any = providers.array("ibox-a")
    with pytest.raises(Refused) as caught:
        array.suspend(999)
    cookies = [cookie.value for cookie in array._session.box.api._session.cookies]
    assert cookies
    assert not any(cookie in f"{caught.value!r} {vars(caught.value)}" for cookie in cookies)
    assert caught.value.where == "ibox-a: POST replicas/999/suspend"
    assert "REPLICA_NOT_FOUND" in caught.value.why


def test_a_quoted_password_is_cut_out(providers: SiteProviders) -> None:
    with pytest.raises(Refused) as caught:
        providers.target.identity.create_user({"name": {"not": "a name"}, "password": "canary-9", "domain_id": "default"})
    assert "canary-9" not in str(vars(caught.value))


def test_secrets_are_revealed_for_sending_alone() -> None:
    hidden: list[str] = []
    body = {"server": {"user_data": Secret("abc"), "nested": [Secret("abcdef"), 1]}, "password": "pw"}
    assert revealed(body, hidden) == {"server": {"user_data": "abc", "nested": ["abcdef", 1]}, "password": "pw"}
    assert set(hidden) == {"abc", "abcdef", "pw"}
    assert without("bad value abcdef, abc", hidden) == "bad value (sensitive value), (sensitive value)"


@pytest.mark.parametrize(
    ("answer", "key", "more"),
    [
        ({"servers": [], "servers_links": [{"rel": "next", "href": "x"}]}, "servers", True),
        ({"volume_types": [], "volume_type_links": [{"rel": "next", "href": "x"}]}, "volume_types", True),
        ({"ports": [], "ports_links": [{"rel": "previous", "href": "x"}]}, "ports", False),
        ({"users": [], "links": {"next": None, "self": "x"}}, "users", False),
        ({"users": [], "links": {"next": "x", "self": "x"}}, "users", True),
        ({"servers": []}, "servers", False),
    ],
)
def test_how_services_say_that_there_is_more(answer: dict[str, Any], key: str, more: bool) -> None:
    assert has_next(answer, key) is more


def test_a_list_that_keystone_cuts_short_is_not_taken_for_the_whole() -> None:
    with pytest.raises(Refused, match="list_limit"):
        has_next({"users": [{}], "truncated": True, "links": {"next": None}}, "users")


def test_a_cloud_with_many_addresses_keeps_a_connection_to_each_until_its_end(sandbox: Sandbox) -> None:
    """Each service of a cloud may have an address of its own."""
    session, seam = requests.Session(), Transport("cloud", Access.READ, Limits())
    seam.seal(session)
    urls = [sandbox.urls[name] for name in ("control", "source", "target", "ibox-a", "ibox-b")]
    for _ in range(3):
        for url in urls:
            session.get(f"{url}/")
    pools = [seam.get_connection_with_tls_context(session.prepare_request(requests.Request("GET", url)), True) for url in urls]
    assert [pool.num_connections for pool in pools] == [1] * len(urls)
    session.close()
    assert [pool.num_connections for pool in pools] == [1] * len(urls)
    seam.end()
    assert session.get(urls[0]).status_code
    assert seam.get_connection_with_tls_context(session.prepare_request(requests.Request("GET", urls[0])), True) is not pools[0]
