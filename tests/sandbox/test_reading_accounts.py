"""What the sandbox's accounts that only read may do, asked for as any client would."""

from __future__ import annotations

import pytest
import requests
import yaml

from millpond.sandbox.core.access_rules import allows
from millpond.sandbox.keystone.application_credentials import READING, READING_SECRET
from tests.sandbox.running import Sandbox

RULES = [{"service": "compute", "method": "GET", "path": "/v2.1/servers/*"}, {"service": "identity", "method": "GET", "path": "/**"}]


@pytest.mark.parametrize(
    ("service", "method", "path", "allowed"),
    [
        ("nova", "GET", "/v2.1/servers/7", True),
        ("nova", "GET", "/v2.1/servers/7/ips", False),
        ("nova", "GET", "/v2.1/servers", False),
        ("nova", "DELETE", "/v2.1/servers/7", False),
        ("cinder", "GET", "/v2.1/servers/7", False),
        ("keystone", "GET", "/v3/users/1/projects", True),
        ("keystone", "POST", "/v3/users", False),
    ],
)
def test_a_rule_is_of_one_service_method_and_path(service: str, method: str, path: str, allowed: bool) -> None:
    assert allows(RULES, service, method, path) is allowed


def login(sandbox: Sandbox, **more: object) -> requests.Response:
    given = {"name": READING, "secret": READING_SECRET, "user": {"name": "admin", "domain": {"name": "Default"}}, **more}
    auth = {"identity": {"methods": ["application_credential"], "application_credential": given}}
    return requests.post(f"{sandbox.urls['target']}/identity/v3/auth/tokens", json={"auth": auth}, timeout=5)


def test_an_application_credential_reads_and_writes_nothing(sandbox: Sandbox) -> None:
    answer = login(sandbox)
    token = answer.json()["token"]
    assert (token["application_credential"]["name"], token["project"]["name"]) == (READING, "admin")
    headers = {"X-Auth-Token": answer.headers["X-Subject-Token"]}
    volumes = f"{sandbox.urls['target']}/volume/v3/{token['project']['id']}"
    for url in (
        f"{sandbox.urls['target']}/network/v2.0/networks",
        f"{volumes}/volumes/detail",
        f"{sandbox.urls['target']}/identity/v3/users",
    ):
        assert requests.get(url, headers=headers, timeout=5).status_code == 200, url
    for url in (f"{sandbox.urls['target']}/network/v2.0/networks", f"{volumes}/volumes", f"{sandbox.urls['target']}/identity/v3/users"):
        assert requests.post(url, json={}, headers=headers, timeout=5).status_code == 401, url


def test_its_secret_must_be_right(sandbox: Sandbox) -> None:
    assert login(sandbox, secret="guessed").status_code == 401
    assert login(sandbox, name="unknown").status_code == 401


def test_queens_has_none(sandbox: Sandbox) -> None:
    clouds = yaml.safe_load((sandbox.directory / "clouds-read.yaml").read_text())["clouds"]
    assert (clouds["source-admin"]["auth"]["username"], clouds["target-admin"]["auth_type"]) == ("auditor", "v3applicationcredential")


def test_an_auditor_changes_nothing(sandbox: Sandbox) -> None:
    user = {"name": "auditor", "password": "auditor-secret", "domain": {"name": "Default"}}
    scope = {"project": {"name": "admin", "domain": {"name": "Default"}}}
    auth = {"identity": {"methods": ["password"], "password": {"user": user}}, "scope": scope}
    answer = requests.post(f"{sandbox.urls['source']}/identity/v3/auth/tokens", json={"auth": auth}, timeout=5)
    headers = {"X-Auth-Token": answer.headers["X-Subject-Token"]}
    servers = f"{sandbox.urls['source']}/compute/v2.1/servers"
    assert requests.get(f"{servers}/detail?all_tenants=1", headers=headers, timeout=5).status_code == 200
    refused = requests.post(servers, json={"server": {}}, headers=headers, timeout=5)
    assert (refused.status_code, list(refused.json())) == (403, ["forbidden"])


def test_a_reader_of_an_array_changes_nothing(sandbox: Sandbox) -> None:
    url, who = f"{sandbox.urls['ibox-a']}/api/rest/volumes", ("reader", "reader-secret")
    assert requests.get(url, auth=who, timeout=5).status_code == 200
    refused = requests.post(url, auth=who, json={"name": "x"}, timeout=5)
    assert (refused.status_code, refused.json()["error"]["message"]) == (403, "User reader has the role READ_ONLY")
