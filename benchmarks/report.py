"""The figures, as people read them."""

from __future__ import annotations

import argparse
import statistics
import sys

from benchmarks.measure import Cost
from benchmarks.wave import Cut

REQUESTS = 150
CPU = 10.0
RATIO = 1.2
"""The goals: requests and CPU seconds of `discover` and `plan` of 300 servers; the longest outage by the longest chain of service times."""


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def heading(servers: int) -> None:
    say(f"A tenant of {servers} servers, {3 * servers} volumes and {3 * servers} ports.\n")
    say(f"{'':24}{'requests':>10}{'mutating':>10}{'per 100':>10}{'CPU s':>8}{'MiB':>6}{'seconds':>9}")


def line(title: str, cost: Cost, servers: int) -> None:
    each = cost.requests * 100 / servers
    say(f"{title:24}{cost.requests:10}{cost.mutating:10}{each:10.1f}{cost.cpu:8.1f}{cost.memory:6.0f}{cost.seconds:9.1f}")


def outages(cut: Cut, options: argparse.Namespace) -> None:
    chain, found = cut.chain, cut.outages
    attached = f"{chain.attachments} attachments of {chain.attach:g} s"
    times = f"stop {chain.stop:g} s, sync {chain.sync:g} s, {attached}, boot {chain.boot:g} s, port {chain.port_up:g} s"
    say(f"\nA wave of {len(found)} servers at {options.speed:g} times real time, {options.latency * 1000:g} ms per request.")
    say(f"Longest chain of service times: {times}: {chain.seconds:.0f} s.")
    say(f"Outages: shortest {found[0]:.0f} s, median {statistics.median(found):.0f} s, longest {found[-1]:.0f} s (all in simulated time).")


def verdict(both: Cost, cut: Cut) -> int:
    """The exit code."""
    met = [
        goal(both.requests < REQUESTS, f"discover and plan: {both.requests} requests; goal: fewer than {REQUESTS}"),
        goal(both.cpu < CPU, f"discover and plan: {both.cpu:.1f} s of CPU; goal: under {CPU:g} s"),
        goal(cut.ratio <= RATIO, f"longest outage: {cut.ratio:.2f} times the longest chain; goal: at most {RATIO:g}"),
    ]
    return 0 if all(met) else 1


def goal(met: bool, text: str) -> bool:
    say(f"{'met   ' if met else 'MISSED'}  {text}")
    return met
