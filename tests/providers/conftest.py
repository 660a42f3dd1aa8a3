from collections.abc import Iterator

import pytest

from millpond.model.site import ArraySystem, Limits, Site
from millpond.providers.access import Access
from millpond.providers.open import SiteProviders, open_providers
from tests.sandbox.running import Sandbox, start_sandbox

PASSWORD = "123456"
LIMITS = Limits(request_timeout=5)


@pytest.fixture(scope="package")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """Two clouds, two arrays and a tenant; every test leaves the world as it found it."""
    running = start_sandbox(tmp_path_factory.mktemp("sandbox"), scenario="small", speed=200)
    yield running
    assert running.stop() == 0


@pytest.fixture(autouse=True)
def configuration(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if "sandbox" in request.fixturenames:
        running: Sandbox = request.getfixturevalue("sandbox")
        monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(running.clouds_yaml))
        monkeypatch.setenv("OS_CLIENT_SECURE_FILE", str(running.directory / "secure.yaml"))
        monkeypatch.setenv("ARRAY_PASSWORD", PASSWORD)


def array_system(sandbox: Sandbox, name: str) -> ArraySystem:
    return ArraySystem(name, sandbox.host(name), "admin", port=sandbox.port, tls=False, password_env="ARRAY_PASSWORD")


def opened(sandbox: Sandbox, access: Access, limits: Limits = LIMITS) -> SiteProviders:
    site = Site("test", arrays=tuple(array_system(sandbox, name) for name in ("ibox-a", "ibox-b")), limits=limits)
    return open_providers(site, "source-admin", "target-admin", access)


@pytest.fixture
def providers(sandbox: Sandbox) -> SiteProviders:
    return opened(sandbox, Access.WRITE)


@pytest.fixture
def reader(sandbox: Sandbox) -> SiteProviders:
    return opened(sandbox, Access.READ)
