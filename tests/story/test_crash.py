"""A sample of the crash sweep; CONTRIBUTING names the command that plays all of it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import FIGURE
from tests.sandbox.running import Sandbox
from tests.story.crash import LEARNING, Sweep

EVERY = 97
"""No divisor of the number of modes, so that the sample meets all of them."""


@pytest.mark.patient
def test_a_run_after_a_crash_ends_in_the_same_world(
    small: Sandbox, seeded: str, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    small.control.restore(seeded)
    sweep = Sweep(small, tmp_path)
    sweep.learn()
    points = list(sweep.points(EVERY))
    wrong = {point: difference for point in points if (difference := sweep.crash(*point))}
    killed = sweep.killed - LEARNING
    whole = sum(start.calls for start in sweep.starts.values()) * 3
    record_property(FIGURE, f"crash sweep: {len(points)} points of {whole}, {killed} killed their run, {len(wrong)} ended in another world")
    assert wrong == {}
    assert killed >= 0.9 * len(points), "a kill that does not come proves nothing"
    assert {mode for _, _, mode in points} == {"before", "after", "after_lost"}
    assert {phase for phase, _, _ in points} == {"prepare", "cut", "again", "discard", "carry_back", "decommission", "abort"}
