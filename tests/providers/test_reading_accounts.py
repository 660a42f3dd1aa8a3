"""Accounts that may only read: they see all, are told at once that they cannot apply, and half a view is refused."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from keystoneauth1.identity.base import BaseIdentityPlugin
from keystoneauth1.session import Session

from millpond.errors import ReadingAccount, Refused
from millpond.providers.access import Access
from millpond.providers.infinibox import InfiniBoxArray
from millpond.providers.openstack import connect
from millpond.providers.openstack.scopes import expect_admin
from millpond.providers.ports import Cloud
from tests.providers.conftest import LIMITS, array_system
from tests.sandbox.running import Sandbox

ALL = {"all_tenants": "1"}


@pytest.fixture
def reading(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(sandbox.directory / "clouds-read.yaml"))
    monkeypatch.delenv("OS_CLIENT_SECURE_FILE")


def project_of(name: str) -> str:
    (project,) = connect("source-admin", Access.READ, LIMITS).identity.projects(name, "Default")
    return project.id


def seen(cloud: Cloud, project: str) -> tuple[object, ...]:
    return cloud.compute.servers(project), cloud.network.networks(project), cloud.block_storage.volumes(project), cloud.identity.roles()


def test_who_only_reads_sees_what_an_administrator_sees(sandbox: Sandbox, request: pytest.FixtureRequest) -> None:
    project, names = project_of("acme"), ("source-admin", "target-admin")
    shown = [seen(connect(name, Access.READ, LIMITS), project) for name in names]
    assert all(shown[0])
    request.getfixturevalue("reading")
    assert [seen(connect(name, Access.READ, LIMITS), project) for name in names] == shown


@pytest.mark.usefixtures("reading")
def test_an_account_without_admin_is_refused_before_anything_is_sent(sandbox: Sandbox) -> None:
    sandbox.control.clear_requests()
    with pytest.raises(ReadingAccount, match="has the role auditor in its project; nothing was sent"):
        connect("source-admin", Access.WRITE, LIMITS)
    with pytest.raises(ReadingAccount, match="is an application credential, which is of one project alone; nothing was sent"):
        connect("target-admin", Access.WRITE, LIMITS)
    assert sandbox.control.mutating() == []


def test_a_user_of_an_array_that_may_only_read_is_refused_at_login(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("READER_PASSWORD", "reader-secret")
    system = replace(array_system(sandbox, "ibox-a"), username="reader", password_env="READER_PASSWORD")
    assert InfiniBoxArray(system, Access.READ, LIMITS, Path()).facts().name == "ibox-a"
    with pytest.raises(ReadingAccount, match="user reader of array ibox-a has the role READ_ONLY"):
        InfiniBoxArray(system, Access.WRITE, LIMITS, Path()).facts()


def test_what_neutron_leaves_out_without_a_word_is_refused(sandbox: Sandbox) -> None:
    """It answers a tenant's user with less, and with 200."""
    with pytest.raises(Refused, match="networks are listed without provider:network_type") as caught:
        connect("source-acme", Access.READ, LIMITS).network.networks(project_of("acme"))
    assert "docs/credentials.md" in caught.value.fix


@pytest.mark.parametrize(
    ("service", "noun", "hidden"),
    [("cinder", "volumes", "os-vol-host-attr:host"), ("nova", "servers", "OS-EXT-SRV-ATTR:host")],
)
def test_policies_that_open_a_list_and_not_all_of_it(sandbox: Sandbox, service: str, noun: str, hidden: str) -> None:
    project, cloud = project_of("acme"), connect("source-admin", Access.READ, LIMITS)
    asked = {"volumes": cloud.block_storage.volumes, "servers": cloud.compute.servers}[noun]
    rows = {"volumes": cloud.block_storage._cinder, "servers": cloud.compute._nova}[noun].page(f"/{noun}/detail", noun, ALL)
    left = [{key: value for key, value in row.items() if key != hidden} for row in rows]
    assert asked(project)
    sandbox.control.fault(action={"status": 200, "body": {noun: left}}, service=service, method="GET", path=f"/{noun}/detail")
    with pytest.raises(Refused, match=f"{noun} are listed without {hidden}"):
        asked(project)
    sandbox.control.clear_faults()


def test_nova_refuses_by_itself(sandbox: Sandbox) -> None:
    with pytest.raises(Refused, match="get_all_tenants"):
        connect("source-acme", Access.READ, LIMITS).compute.servers(project_of("acme"))


@pytest.mark.parametrize(
    ("roles", "refused"),
    [
        (["reader", "member"], True),
        ([], True),
        (["_member_", "cloud-auditor"], True),
        (["reader", "cloud_ops"], False),
        (["readmin"], False),
        (["admin"], False),
    ],
)
def test_a_role_of_a_clouds_own_making_is_let_in(roles: list[str], refused: bool) -> None:
    class Login(BaseIdentityPlugin):
        def get_auth_ref(self, session: Session, **_: object) -> None:
            return None

        def get_access(self, session: Session, **_: object) -> SimpleNamespace:  # type: ignore[override]
            return SimpleNamespace(role_names=roles)

    with pytest.raises(ReadingAccount) if refused else nullcontext():
        expect_admin(Session(Login()), "old")
