from typing import Any

import pytest

from millpond.errors import WriteRefused
from millpond.providers import ports
from millpond.providers.open import SiteProviders
from millpond.providers.transport import allowed_when_reading
from tests.providers.calls import READING, call, methods, writing
from tests.sandbox.running import Sandbox

CLOUD = {ports.Identity: "identity", ports.Compute: "compute", ports.BlockStorage: "block_storage", ports.Networking: "network"}


@pytest.mark.parametrize("port", READING)
def test_every_method_is_known_to_read_or_to_write(port: type) -> None:
    assert READING[port] <= set(methods(port))
    assert writing(port)


@pytest.mark.parametrize(("port", "name"), [(port, name) for port in CLOUD for name in writing(port)])
def test_a_reading_login_sends_no_write_to_a_cloud(sandbox: Sandbox, reader: SiteProviders, port: type, name: str) -> None:
    cloud = reader.target
    before = len(sandbox.control.mutating())
    with pytest.raises(WriteRefused):
        call(getattr(cloud, CLOUD[port]), port, name, project_id=cloud.project_id)
    assert len(sandbox.control.mutating()) == before


@pytest.mark.parametrize("name", writing(ports.StorageArray))
def test_a_reading_login_sends_no_write_to_an_array(sandbox: Sandbox, reader: SiteProviders, name: str) -> None:
    array = reader.array("ibox-a")
    pool = array.pools()[0].name
    request = ports.PairRequest(((1, 1, "x"),), "ibox-b", "", 300, 600)
    before = len(sandbox.control.mutating())
    with pytest.raises(WriteRefused):
        call(array, ports.StorageArray, name, request=request, pool=pool)
    assert len(sandbox.control.mutating()) == before


def test_reading_and_logging_in_is_allowed(reader: SiteProviders) -> None:
    assert reader.source.identity.domains()
    assert reader.array("ibox-b").facts().links


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/compute/v2.1/servers", True),
        ("HEAD", "/image/v2/images", True),
        ("POST", "/identity/v3/auth/tokens", True),
        ("POST", "/api/rest/users/login", True),
        ("DELETE", "/identity/v3/auth/tokens", False),
        ("POST", "/api/rest/users", False),
        ("POST", "/compute/v2.1/servers/auth/tokens/action", False),
        ("PUT", "/network/v2.0/ports/1", False),
        ("PATCH", "/identity/v3/projects/1", False),
    ],
)
def test_what_counts_as_reading(method: str, path: str, allowed: bool) -> None:
    assert allowed_when_reading(method, path) is allowed


def test_a_writing_login_is_one_that_may(providers: SiteProviders) -> None:
    identity: Any = providers.target.identity
    project = identity.create_project({"name": "written", "domain_id": "default"})
    identity.delete_project(project)
