"""Servers that share a disk boot one after the other: what the first of them has reserved while it is built is its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from millpond.model.plan import TenantPlan
from tests.sandbox.running import Sandbox
from tests.story.silent import Silent
from tests.story.stage import Stage
from tests.story.worlds import prepare

FAST, SLOW = 10, 2400
"""Virtual seconds of a build; a tenth of them passes before a host is chosen."""
WAVE = {"name": "dbs", "servers": ["db-1", "db-2"]}


@pytest.fixture
def stage(shop: Sandbox, shop_seeded: str, tmp_path: Path) -> Iterator[Stage]:
    """The shop's two databases, which share a disk, are a wave of their own."""
    shop.control.restore(shop_seeded)
    (tmp_path / "prepared").mkdir()
    (tmp_path / "own").mkdir()
    yield prepare(shop, tmp_path / "prepared", {"waves": [WAVE]}).stage(tmp_path / "own")
    shop.control.settings(delays={"server_boot": FAST})


class Watching(Silent):
    """Lets servers be built fast again once one is; collects what was told of volumes that are reserved."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.told: set[str] = set()
        self.seen = False

    def planned(self, plan: TenantPlan) -> None:
        self.told |= {finding.code for finding in plan.findings if "reserv" in finding.code}
        if not self.seen and any(step.id.endswith("server/db-1#create") and not step.after for step in plan.waiting):
            self.seen = True
            self.sandbox.control.settings(delays={"server_boot": FAST})


def test_a_run_waits_for_a_slow_build_of_the_first(stage: Stage) -> None:
    """No host is chosen for longer than a boot is given to come, and the shared disk is `reserved` so long."""
    stage.sandbox.control.settings(delays={"server_boot": SLOW})
    stage.manifest["waves"] = [{**WAVE, "cutover": True}]
    watching = Watching(stage.sandbox)
    result = stage.apply(watching)
    assert watching.told == set()
    assert watching.seen
    assert (result.held, result.remaining) == (False, False)
    assert {row["name"]: row["vm_state"] for row in stage.rows("target/nova/servers")} == {"db-1": "active", "db-2": "active"}
    assert stage.sandbox.control.violations() == []
