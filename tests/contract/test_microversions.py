"""Microversions: what a service says it speaks, and how it refuses more."""

import pytest

from millpond.providers.openstack.scopes import Endpoint
from tests.contract.api import NONE
from tests.contract.ground import Ground

WITH_VERSIONS = ("compute", "block_storage")
PATHS = {"compute": "/servers", "block_storage": "/volumes", "identity": "/projects", "network": "/networks"}


def endpoint(ground: Ground, service: str) -> Endpoint:
    return ground.scopes.endpoint(service.replace("_", "-"))


def url(ground: Ground, service: str) -> str:
    return endpoint(ground, service).url + PATHS[service]


@pytest.mark.parametrize("service", WITH_VERSIONS)
def test_more_than_the_service_speaks_is_406(ground: Ground, service: str) -> None:
    major = "2" if service == "compute" else "3"
    refused = ground.admin.get(service, PATHS[service], version=f"{major}.999")
    assert (refused.status, set(refused.body)) == (406, {"computeFault"})
    assert f"Version {major}.999 is not supported by the API. Minimum is" in refused.message


@pytest.mark.parametrize("service", WITH_VERSIONS)
def test_the_newest_that_is_told_is_spoken(ground: Ground, service: str) -> None:
    told = endpoint(ground, service).newest
    assert told is not None
    newest = f"{told[0]}.{told[1]}"
    answer = ground.admin.get(service, PATHS[service], version=newest)
    assert answer.status == 200
    spoken = answer.headers["OpenStack-API-Version"]
    assert spoken.split() == ["compute" if service == "compute" else "volume", newest]
    assert ground.admin.get(service, PATHS[service], version=f"{told[0]}.{told[1] + 1}").status == 406


@pytest.mark.parametrize("service", WITH_VERSIONS)
def test_what_is_no_version_is_400(ground: Ground, service: str) -> None:
    kind = "compute" if service == "compute" else "volume"
    headers = {"OpenStack-API-Version": f"{kind} two"}
    assert ground.admin.anonymous(url(ground, service), headers).status_code in (400, 401)
    assert ground.admin.call("GET", service, PATHS[service], headers=headers, version=NONE).status == 400


def test_identity_and_network_have_none(ground: Ground) -> None:
    assert endpoint(ground, "identity").newest is None
    assert endpoint(ground, "network").newest is None


@pytest.mark.parametrize("service", sorted(PATHS))
def test_a_path_that_is_not_there(ground: Ground, service: str) -> None:
    assert ground.admin.get(service, "/no-such-things").status == 404


@pytest.mark.parametrize("service", sorted(PATHS))
def test_without_a_token_401(ground: Ground, service: str) -> None:
    assert ground.admin.anonymous(url(ground, service)).status_code == 401
