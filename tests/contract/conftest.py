from collections.abc import Generator, Iterator
from urllib.parse import urlsplit

import pytest

from tests.contract.boxes import PASSWORD, PASSWORD_VARIABLE, Boxes
from tests.contract.ground import Ground
from tests.contract.subject import Subject
from tests.contract.sweep import sweep
from tests.lab.access import running_lab
from tests.sandbox.running import start_sandbox

SIDES = ("source", "target")


PASSED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.when == "call":
        item.stash[PASSED] = report.passed
    return report


@pytest.fixture(scope="session", params=["sandbox", pytest.param("lab", marks=pytest.mark.lab)])
def subject(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Subject]:
    """One sandbox for all tests of a worker; or the lab that is up."""
    if request.param == "lab":
        yield lab()
        return
    running = start_sandbox(tmp_path_factory.mktemp("contract"), scenario="small", speed=200)
    arrays = {name: (running.host(name), running.port) for name in ("ibox-a", "ibox-b")}
    yield Subject("sandbox", running.directory, {side: f"{side}-admin" for side in SIDES}, arrays, patience=20, pause=0.02)
    assert running.stop() == 0


def lab() -> Subject:
    found = running_lab()
    if found is None:
        pytest.fail("the lab is not up: make lab-up")
    arrays = {name: (urlsplit(url).hostname or "", urlsplit(url).port or 80) for name, url in found.arrays.items()}
    clouds = {"source": found.source_cloud, "target": found.target_cloud}
    return Subject("lab", found.directory, clouds, arrays, patience=300, pause=0.5)


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
    yield ground
    kept(request, ground.seen)


@pytest.fixture(scope="session")
def paired(subject: Subject) -> Iterator[Boxes]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(PASSWORD_VARIABLE, PASSWORD)
        boxes = Boxes(subject)
    yield boxes
    boxes.sweep()


@pytest.fixture
def boxes(request: pytest.FixtureRequest, paired: Boxes, monkeypatch: pytest.MonkeyPatch) -> Iterator[Boxes]:
    """What is promised with `covers` must have been called in the test."""
    monkeypatch.setenv(PASSWORD_VARIABLE, PASSWORD)
    paired.seen.clear()
    yield paired
    kept(request, paired.seen)


def kept(request: pytest.FixtureRequest, seen: set[str]) -> None:
    """Of a test that was skipped or failed nothing is expected."""
    promised = {method for mark in request.node.iter_markers("covers") for method in mark.args}
    assert not request.node.stash.get(PASSED, False) or promised <= seen, f"promised, but not called: {sorted(promised - seen)}"
