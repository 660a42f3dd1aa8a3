import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pipelines.code_host import CodeHost, code_host
from tests.pipelines.repository import Repository
from tests.pipelines.site import write_manifest, write_site
from tests.sandbox.running import Sandbox, start_sandbox
from tests.story.stage import Stage
from tests.story.worlds import INVENTORY, Moved, World, hire_bob, move, prepare


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """Three servers on a sandbox whose minute is a second."""
    running = start_sandbox(tmp_path_factory.mktemp("small"), scenario="small", speed=60)
    yield running
    running.stop()


@pytest.fixture(scope="session")
def seeded(small: Sandbox) -> str:
    return small.control.snapshot()


@pytest.fixture(scope="session")
def prepared(small: Sandbox, seeded: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The documents of a tenant that is prepared and in sync, and the snapshot of that world."""
    small.control.restore(seeded)
    stage = Stage(small, tmp_path_factory.mktemp("prepared"))
    stage.discover()
    result = stage.settle()
    assert not result.plan.tenants[0].steps, result.plan.tenants[0].steps
    return stage.directory, small.control.snapshot()


@pytest.fixture
def stage(small: Sandbox, prepared: tuple[Path, str], tmp_path: Path) -> Stage:
    """A tenant that is prepared and in sync, every test its own."""
    directory, snapshot = prepared
    small.control.restore(snapshot)
    own = Stage(small, tmp_path)
    (tmp_path / "tenants/acme.inventory.yaml").write_text((directory / "tenants/acme.inventory.yaml").read_text())
    return own


@pytest.fixture(scope="session")
def after_cut(small: Sandbox, prepared: tuple[Path, str], tmp_path_factory: pytest.TempPathFactory) -> str:
    """The snapshot of the world in which the tenant has been cut over."""
    directory, snapshot = prepared
    small.control.restore(snapshot)
    stage = Stage(small, tmp_path_factory.mktemp("after_cut"))
    (stage.directory / INVENTORY).write_text((directory / INVENTORY).read_text())
    stage.manifest["cutover"] = True
    result = stage.settle()
    assert not result.remaining, result.plan.tenants[0].steps
    return small.control.snapshot()


@pytest.fixture
def moved(after_cut: str, small: Sandbox, stage: Stage) -> Stage:
    """A tenant that was cut over by another run, whose journal is not here."""
    small.control.restore(after_cut)
    stage.manifest["cutover"] = True
    return stage


@pytest.fixture
def untouched(small: Sandbox, seeded: str, tmp_path: Path) -> Stage:
    """A tenant of which nothing is on the target, its inventory written."""
    small.control.restore(seeded)
    stage = Stage(small, tmp_path)
    stage.discover()
    return stage


@pytest.fixture
def repository(small: Sandbox, prepared: tuple[Path, str], tmp_path: Path) -> Repository:
    """The documents of a tenant that is prepared and in sync, in git."""
    directory, snapshot = prepared
    small.control.restore(snapshot)
    repository = Repository.begin(tmp_path)
    write_site(repository.clone, small)
    (repository.clone / "tenants").mkdir()
    shutil.copy(directory / INVENTORY, repository.clone / INVENTORY)
    write_manifest(repository.clone)
    repository.commit("Take acme in")
    return repository


@pytest.fixture
def host() -> Iterator[CodeHost]:
    with code_host() as host:
        yield host


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """The web shop, with a server that Bob booted: his key pair has the name of one of Alice's."""
    running = start_sandbox(tmp_path_factory.mktemp("shop"), scenario="shop", speed=60)
    hire_bob(running)
    yield running
    running.stop()


@pytest.fixture(scope="session")
def shop_seeded(shop: Sandbox) -> str:
    return shop.control.snapshot()


@pytest.fixture(scope="session")
def shop_prepared(shop: Sandbox, shop_seeded: str, tmp_path_factory: pytest.TempPathFactory) -> World:
    """One wave for all of it."""
    shop.control.restore(shop_seeded)
    return prepare(shop, tmp_path_factory.mktemp("shop-prepared"))


@pytest.fixture(scope="session")
def shop_moved(shop_prepared: World, tmp_path_factory: pytest.TempPathFactory) -> Moved:
    return move(shop_prepared, tmp_path_factory.mktemp("shop-moved"))
