from collections.abc import Iterator

import pytest

from tests.contract.ground import Ground
from tests.contract.subject import Subject
from tests.contract.sweep import sweep
from tests.lab.access import running_lab
from tests.sandbox.running import start_sandbox

SIDES = ("source", "target")


@pytest.fixture(scope="session", params=["sandbox", pytest.param("lab", marks=pytest.mark.lab)])
def subject(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Subject]:
    """One sandbox for all tests of a worker; or the lab that is up."""
    if request.param == "lab":
        yield lab()
        return
    running = start_sandbox(tmp_path_factory.mktemp("contract"), scenario="small", speed=200)
    yield Subject("sandbox", running.directory, {side: f"{side}-admin" for side in SIDES}, patience=20, pause=0.02)
    assert running.stop() == 0


def lab() -> Subject:
    found = running_lab()
    if found is None:
        pytest.fail("the lab is not up: make lab-up")
    return Subject("lab", found.directory, {"source": found.source_cloud, "target": found.target_cloud}, patience=120, pause=0.5)


@pytest.fixture(scope="session")
def grounds(subject: Subject) -> Iterator[dict[str, Ground]]:
    built: dict[str, Ground] = {}
    yield built
    for ground in built.values():
        sweep(ground)


@pytest.fixture(params=SIDES)
def ground(
    request: pytest.FixtureRequest, subject: Subject, grounds: dict[str, Ground], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Ground]:
    """What is promised with `covers` must have been called in the test."""
    subject.configure(monkeypatch)
    if request.param not in grounds:
        grounds[request.param] = Ground(subject, request.param)
        grounds[request.param].ample()
    ground = grounds[request.param]
    ground.seen.clear()
    ground.skipped = False
    yield ground
    promised = {method for mark in request.node.iter_markers("covers") for method in mark.args}
    assert ground.skipped or promised <= ground.seen, f"promised, but not called: {sorted(promised - ground.seen)}"
