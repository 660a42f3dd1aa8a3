"""Measures Millpond on a sandbox of its own, and says whether the goals are met.

    python -m benchmarks                              300 servers, a wave of 30 of them: about four minutes
    python -m benchmarks --servers 60 --wave 10       smaller

First what is read: the requests and CPU seconds of `discover` and `plan`, before and after everything is prepared. Then a cutover: the
outage of each server of one wave, by the journal, beside the longest chain of simulated service times, below which no tool could stay.
Every verb runs in a process of its own with Millpond's default limits. Exits with 1 when a goal is missed; on a busy machine outages are
longer.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks import report
from benchmarks.measure import Cost, run
from benchmarks.site import SiteDirectory
from benchmarks.wave import cut_over, prepare
from tests.sandbox.running import start_sandbox


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    with tempfile.TemporaryDirectory(prefix="millpond-benchmark-") as directory:
        sandbox = start_sandbox(Path(directory) / "sandbox", servers=options.servers, speed=options.speed, latency=options.latency)
        try:
            return _measured(SiteDirectory(sandbox, Path(directory) / "site"), options)
        finally:
            sandbox.stop()


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--servers", type=int, default=300, help="of the tenant, with three volumes and three ports each")
    parser.add_argument("--wave", type=int, default=30, help="servers that are cut over together")
    parser.add_argument("--speed", type=float, default=1.0, help="virtual seconds per real second during the cutover; 1 is as in life")
    parser.add_argument("--latency", type=float, default=0.02, help="real seconds that every request takes longer")
    return parser.parse_args(arguments)


def _measured(site: SiteDirectory, options: argparse.Namespace) -> int:
    site.write()
    report.heading(options.servers)
    discover = run(site, "discover")
    report.line("discover", discover, options.servers)
    plan = run(site, "plan")
    report.line("plan, nothing prepared", plan, options.servers)
    both = Cost.of((discover, plan))
    report.line("discover and plan", both, options.servers)
    wave = site.servers()[: options.wave]
    report.line("apply that prepares all", prepare(site, wave), options.servers)
    report.line("plan, all prepared", run(site, "plan"), options.servers)
    cut = cut_over(site, wave, options.speed, options.latency)
    report.line("apply that cuts over", cut.cost, len(wave))
    report.outages(cut, options)
    return report.verdict(both, cut)


if __name__ == "__main__":
    sys.exit(main())
