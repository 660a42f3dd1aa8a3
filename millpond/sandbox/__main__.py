"""`python -m millpond.sandbox`: seeds or reloads a world and serves it until SIGTERM or SIGINT."""

import argparse
import asyncio
import logging
import random
import signal
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

from aiohttp import web

from millpond.sandbox.control import Control
from millpond.sandbox.core.releases import ANTELOPE, QUEENS, RELEASES
from millpond.sandbox.credentials import write_files
from millpond.sandbox.scenarios import seed
from millpond.sandbox.server import applications
from millpond.sandbox.settings import Settings
from millpond.sandbox.simulation import HOSTS, Simulation, assemble

TICK = 0.05
"""Real seconds between looks at what is due while no request comes."""
FREE_PORTS = range(20000, 32000)


def main(arguments: Sequence[str] | None = None) -> None:
    options = _options(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(message)s")
    options.dir.mkdir(parents=True, exist_ok=True)
    sockets = _bind(options.port)
    port = next(iter(sockets.values())).getsockname()[1]
    releases = {"source": QUEENS, "target": RELEASES[options.target_release].with_ml2(options.ml2)}
    settings = Settings(speed=options.speed, latency=options.latency)
    world = assemble(options.dir / "state.sqlite", settings, releases, port)
    if options.scenario != "none":
        seed(world, options.scenario, options.servers)
    asyncio.run(_serve(world, sockets, options.dir))


DESCRIPTION = """\
Two OpenStack clouds and two InfiniBoxes, simulated over HTTP on loopback, until SIGTERM or SIGINT.
They keep their state in DIR and go on with it when they are started again. DIR also gets
clouds.yaml, for openstack and millpond, and endpoints.json, with the addresses of the arrays
(login admin, password 123456)."""
SCENARIOS = """\
scenarios:
  small   tenant acme: 3 servers, 4 volumes, a network behind a router, a floating IP
  shop    tenant acme: about 12 servers in 3 networks behind 2 routers, IPv6, two pools, and what
          migrations stumble over: a volume that two servers share, anti-affinity, a stopped and a
          locked server, one that boots from an image, names that are empty or repeated
  none    two empty clouds"""


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        "millpond sandbox", description=DESCRIPTION, epilog=SCENARIOS, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--dir", type=Path, required=True, help="where the state and the client files are kept")
    parser.add_argument("--port", type=int, default=8180, help="of every address; 0 looks for a free one (default: 8180)")
    parser.add_argument(
        "--scenario", choices=("small", "shop", "none"), default="small", help="content of a new world, see below (default: small)"
    )
    parser.add_argument("--servers", type=int, default=None, help="instead of a scenario: a generated tenant with that many servers")
    parser.add_argument("--speed", type=float, default=1.0, help="simulated seconds per second (default: 1)")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds that every request takes longer (default: 0)")
    parser.add_argument("--target-release", choices=sorted(RELEASES), default=ANTELOPE.name, help="of the target (default: antelope)")
    parser.add_argument("--ml2", choices=("ovs", "ovn"), default="ovs", help="the target's network back end (default: ovs)")
    return parser.parse_args(arguments)


def _bind(port: int) -> dict[str, socket.socket]:
    """One listening socket per address, all on the same port."""
    if port:
        try:
            return _bind_all(port)
        except OSError as error:
            sys.exit(f"port {port} cannot be used ({error.strerror}): stop what uses it, or choose another with --port (0: a free one)")
    for candidate in random.sample(FREE_PORTS, 50):
        try:
            return _bind_all(candidate)
        except OSError:
            continue
    raise OSError("no port is free on all addresses of the sandbox")


def _bind_all(port: int) -> dict[str, socket.socket]:
    sockets: dict[str, socket.socket] = {}
    try:
        for name, host in HOSTS.items():
            sockets[name] = socket.create_server((host, port), backlog=1024)
    except OSError:
        for one in sockets.values():
            one.close()
        raise
    return sockets


async def _serve(world: Simulation, sockets: dict[str, socket.socket], directory: Path) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    runners = []
    for name, app in {"control": Control(world).application(), **applications(world)}.items():
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await runner.setup()
        await web.SockSite(runner, sockets[name]).start()
        runners.append(runner)
    urls = {name: "http://{}:{}".format(*sockets[name].getsockname()) for name in sockets}
    write_files(world, urls, directory)
    ticker = asyncio.create_task(_tick(world))
    sys.stdout.write(f"sandbox ready: control {urls['control']}, clients use {directory / 'clouds.yaml'}\n")
    sys.stdout.flush()
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({stopping, ticker}, return_when=asyncio.FIRST_COMPLETED)
    if ticker.done():
        ticker.result()  # raises: a world whose time stands still must not look alive
    ticker.cancel()
    for runner in runners:
        await runner.cleanup()
    world.close()


async def _tick(world: Simulation) -> None:
    while True:
        await asyncio.sleep(TICK)
        world.events.run_due()
        world.settle()


if __name__ == "__main__":
    main()
