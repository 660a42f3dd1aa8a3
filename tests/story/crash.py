"""Kills an apply at its k-th mutating call, runs it again, and compares the world with the one that no crash disturbed.

python -m tests.story.crash                 every call of every phase: about an hour on two cores
python -m tests.story.crash --every 20      a sample
python -m tests.story.crash --phase cut --only 17 --mode after_lost
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import signal
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.sandbox.conftest import connect
from tests.sandbox.running import Sandbox, start_sandbox
from tests.story.stage import Stage

PHASES = ("prepare", "cut", "again", "discard", "carry_back", "decommission", "abort")
"""`abort`: the flag goes back after a crash in the middle of the cut. `again`: the cut goes on from a boot that Nova and the run died in,
which left a volume reserved for a server that is not there.
"""
MODES = ("before", "after", "after_lost")
LEARNING = 1
"""Kills that belong to what a phase begins with."""
_FORK = multiprocessing.get_context("fork")


@dataclass(frozen=True)
class Start:
    """The world that a phase begins in, the flags that drive it, how many calls it makes and the world that it ends in."""

    snapshot: str
    manifest: Mapping[str, Any]
    calls: int
    end: Mapping[str, Any]


@dataclass
class Sweep:
    """All phases on one sandbox, each from its own snapshot. `seed` begins with the tenant untouched."""

    sandbox: Sandbox
    directory: Path
    starts: dict[str, Start] = field(default_factory=dict)
    killed: int = 0
    """Runs that met their fault and died of it. A call that a run did not make again, since others came first, kills nobody."""
    _site: int = 0
    _prepared: str = ""

    def learn(self) -> None:
        """Plays every phase once without a crash. A detached volume is in the wave, too: it is reserved while it is cut."""
        stage = self._stage("learn")
        with connect(self.sandbox, "source-acme") as tenant:
            loose = tenant.block_storage.create_volume(size=1, name="archive")
            tenant.block_storage.wait_for_status(loose, "available", interval=0.05)
        stage.discover()
        self._inventory = (stage.directory / "tenants/acme.inventory.yaml").read_text()
        self._play(stage, "prepare", {})
        in_sync = stage.world()
        self._left_behind(stage)
        self._play(stage, "again", {"cutover": True})
        self.sandbox.control.restore(self._prepared)
        self._play(stage, "cut", {"cutover": True})
        assert not difference(self.starts["cut"].end, self.starts["again"].end)
        self.starts["abort"] = replace(self.starts["cut"], end=in_sync)
        for row in stage.rows("target/nova/servers"):
            self.sandbox.control.write(cloud="target", server_id=row["id"], data="written on the target")
        after_cut, cut = self.sandbox.control.snapshot(), stage.cut()
        for kind in ("discard", "carry_back"):
            self._play(stage, kind, {"cutover": False, "rollback": {"cut": cut, "target_writes": kind}})
            self.sandbox.control.restore(after_cut)
            del stage.manifest["rollback"]
        self._play(stage, "decommission", self._approved(stage))

    def _left_behind(self, stage: Stage) -> None:
        self._prepared = self.sandbox.control.snapshot()
        stage.manifest["cutover"] = True
        self.sandbox.control.fault(world="boot_refused", cloud="target", times=1, status=502)
        self._killed(stage, 0, "after_lost", cloud="target", service="nova", method="POST", path="/servers$")
        self.sandbox.control.clear_faults()
        stage.unlocked()
        known = {row["id"] for row in stage.rows("target/nova/servers")}
        assert len([row for row in stage.rows("target/cinder/attachments") if row["server_id"] not in known]) == 1

    def _approved(self, stage: Stage) -> dict[str, Any]:
        stage.manifest |= {"cutover": True, "decommission": True, "soak": "0s"}
        expires = (datetime.now(UTC) + timedelta(days=1)).isoformat()
        approval = {"action": "decommission", "digest": stage.plan().digest, "expires": expires}
        return {"cutover": True, "decommission": True, "soak": "0s", "approvals": [approval]}

    def _play(self, stage: Stage, phase: str, flags: dict[str, Any]) -> None:
        snapshot = self.sandbox.control.snapshot()
        stage.manifest |= flags
        with stage.counted() as mutating:
            result = stage.settle()
        assert not result.plan.tenants[0].steps, (phase, result.plan.tenants[0].steps)
        assert self.sandbox.control.violations() == []
        self.starts[phase] = Start(snapshot, dict(stage.manifest), len(mutating), stage.world())

    def _stage(self, name: str) -> Stage:
        return Stage(self.sandbox, self.directory / name)

    def points(self, every: int = 1) -> Iterator[tuple[str, int, str]]:
        """(phase, call, mode): every n-th of all, spread over phases and modes."""
        every_point = [(phase, call, mode) for phase, start in self.starts.items() for call in range(start.calls) for mode in MODES]
        return iter(every_point[every // 2 :: every])

    def crash(self, phase: str, call: int, mode: str) -> str:
        """Empty if the rerun ends in the same world; else what differs. Every second time all local files are lost too."""
        start = self.starts[phase]
        control = self.sandbox.control
        control.restore(start.snapshot)
        self._site += 1
        stage = self._stage(f"crash-{self._site}")
        stage.manifest = dict(start.manifest)
        (stage.directory / "tenants/acme.inventory.yaml").write_text(self._inventory)
        self._killed(stage, call, mode)
        control.clear_faults()
        if self._site % 2:
            stage.forget()
        else:
            stage.unlocked()
        if phase == "abort":
            self._flag_back(stage)
        result = stage.settle()
        return self._verdict(stage, start, result.plan.tenants[0].steps, result.plan.tenants[0].blockers)

    def _flag_back(self, stage: Stage) -> None:
        """cutover: false again; once a boot was tried, with the word on what the target wrote that the plan asks for."""
        stage.manifest["cutover"] = False
        plan = stage.plan()
        if any(finding.code == "rollback_undecided" for finding in plan.blockers):
            stage.manifest["rollback"] = {"cut": plan.waves[0].cut, "target_writes": "discard"}

    def _verdict(self, stage: Stage, start: Start, steps: Any, blockers: Any) -> str:
        if blockers:
            return f"blocked: {blockers}"
        if steps:
            return f"not finished: {[step.id for step in steps]}"
        if violations := self.sandbox.control.violations():
            return f"violations: {violations}"
        return difference(start.end, stage.world())

    def _killed(self, stage: Stage, call: int, mode: str, **of: str) -> None:
        armed = _FORK.Event()
        child = _FORK.Process(target=_apply, args=(stage, armed))
        child.start()
        self.sandbox.control.fault(action={"kill": child.pid, "when": mode}, mutating=True, skip=call, **of)
        armed.set()
        child.join(60)
        if child.is_alive():
            child.kill()
            child.join()
        elif child.exitcode == -signal.SIGKILL:
            self.killed += 1


def _apply(stage: Stage, armed: Any) -> None:
    armed.wait()
    sys.stderr = Path("/dev/null").open("w")  # noqa: SIM115 - a killed process closes nothing
    stage.settle()


def difference(expected: Any, found: Any, path: str = "") -> str:
    """The first few places where two worlds differ."""
    if isinstance(expected, dict) and isinstance(found, dict):
        parts = [difference(expected.get(key), found.get(key), f"{path}/{key}") for key in sorted({*expected, *found})]
        return "; ".join([part for part in parts if part][:5])
    if expected == found:
        return ""
    return f"{path}: {json.dumps(expected)[:300]} became {json.dumps(found)[:300]}"


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--every", type=int, default=1)
    arguments.add_argument("--phase", choices=PHASES)
    arguments.add_argument("--only", type=int)
    arguments.add_argument("--mode", choices=MODES)
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory() as name:
        sandbox = start_sandbox(Path(name) / "sandbox", scenario="small", speed=60)
        try:
            return _swept(Sweep(sandbox, Path(name)), options)
        finally:
            sandbox.stop()


def _swept(sweep: Sweep, options: argparse.Namespace) -> int:
    sweep.learn()
    print("mutating calls: " + ", ".join(f"{phase} {start.calls}" for phase, start in sweep.starts.items()), flush=True)
    done = failed = 0
    for phase, call, mode in sweep.points(options.every):
        if options.phase not in (None, phase) or options.only not in (None, call) or options.mode not in (None, mode):
            continue
        done += 1
        wrong = sweep.crash(phase, call, mode)
        if wrong:
            failed += 1
            print(f"{phase} {call} {mode}: {wrong}", flush=True)
    print(f"{done} crash points, {sweep.killed - LEARNING} killed their run, {failed} ended in another world")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
