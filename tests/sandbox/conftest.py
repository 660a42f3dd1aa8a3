from collections.abc import Iterator

import openstack
import pytest
import yaml
from openstack.connection import Connection

from tests.sandbox.running import Sandbox, start_sandbox


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """Two bare clouds and two bare arrays, at 50 virtual seconds per second; one process per test module."""
    running = start_sandbox(tmp_path_factory.mktemp("sandbox"), scenario="none")
    yield running
    assert running.stop() == 0


@pytest.fixture(scope="module")
def source(sandbox: Sandbox) -> Connection:
    return connect(sandbox, "source-admin")


@pytest.fixture(scope="module")
def target(sandbox: Sandbox) -> Connection:
    return connect(sandbox, "target-admin")


def connect(sandbox: Sandbox, cloud: str, **changes: str) -> Connection:
    """The real client, with an entry of the sandbox's own clouds.yaml; an empty change leaves that part of `auth` out."""
    entry = yaml.safe_load(sandbox.clouds_yaml.read_text())["clouds"][cloud]
    auth = {name: value for name, value in {**entry["auth"], **changes}.items() if value}
    return openstack.connect(load_envvars=False, load_yaml_config=False, **{**entry, "auth": auth})
