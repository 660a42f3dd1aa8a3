"""A sample of the crash sweep; CONTRIBUTING names the command that plays all of it."""

from pathlib import Path

import pytest

from tests.sandbox.running import Sandbox
from tests.story.crash import Sweep

EVERY = 37
"""No divisor of the number of modes, so that the sample meets all of them."""


def test_a_run_after_a_crash_ends_in_the_same_world(
    small: Sandbox, seeded: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    small.control.restore(seeded)
    sweep = Sweep(small, tmp_path)
    sweep.learn()
    points = list(sweep.points(EVERY))
    wrong = {point: difference for point in points if (difference := sweep.crash(*point))}
    with capsys.disabled():
        print(f"\n{len(points)} crash points of {sum(start.calls for start in sweep.starts.values()) * 3}")
    assert wrong == {}
    assert {mode for _, _, mode in points} == {"before", "after", "after_lost"}
    assert {phase for phase, _, _ in points} == {"prepare", "cut", "again", "discard", "carry_back", "decommission", "abort"}
