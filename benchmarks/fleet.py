"""Measures the comment on a request that moves 200 tenants at once: seconds to render, and bytes by host.

    python -m benchmarks.fleet                        200 tenants of 20 servers
    python -m benchmarks.fleet --tenants 1000         more

Exits with 1 when a comment does not fit, or takes 5 seconds or longer.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence

from benchmarks.report import goal, say
from millpond.reporting.hosts import HOSTS
from millpond.reporting.plan_markdown import plan_markdown
from tests.reporting.fleet import fleet

SECONDS = 5.0


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        "python -m benchmarks.fleet", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tenants", type=int, default=200)
    parser.add_argument("--servers", type=int, default=20, help="of each tenant")
    options = parser.parse_args(arguments)
    document = fleet(options.tenants, options.servers)
    say(f"{options.tenants} tenants, {sum(len(tenant.steps) for tenant in document.plan.tenants)} steps.\n")
    met = []
    for name, host in HOSTS.items():
        begun = time.perf_counter()
        size = len(plan_markdown(document, host).encode())
        seconds = time.perf_counter() - begun
        met.append(goal(size <= host.limit and seconds < SECONDS, f"{name}: {seconds:.2f} s, {size:,} of {host.limit:,} bytes"))
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(main())
