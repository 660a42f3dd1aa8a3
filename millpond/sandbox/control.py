"""The control API: how tests and people turn the simulated world, and look at all of it at once."""

from typing import Any

from aiohttp import web

from millpond.sandbox.core.errors import ApiError
from millpond.sandbox.core.web import body, refuse_unknown
from millpond.sandbox.digest import digest
from millpond.sandbox.guest import write, write_from_outside
from millpond.sandbox.simulation import Simulation


class Control:
    """Keeps the snapshots, which live as long as the process."""

    def __init__(self, world: Simulation) -> None:
        self.world = world
        self._snapshots: dict[str, bytes] = {}

    def application(self) -> web.Application:
        app = web.Application(middlewares=[_errors])
        app.add_routes(
            [
                web.get("/health", self.health),
                web.get("/settings", self.show_settings),
                web.patch("/settings", self.change_settings),
                web.post("/clock/advance", self.advance),
                web.get("/requests", self.list_requests),
                web.delete("/requests", self.clear_requests),
                web.get("/faults", self.list_faults),
                web.post("/faults", self.add_fault),
                web.delete("/faults", self.clear_faults),
                web.delete("/faults/{id}", self.remove_fault),
                web.post("/world/snapshot", self.take_snapshot),
                web.post("/world/restore", self.restore),
                web.get("/world/digest", self.show_digest),
                web.get("/world", self.dump),
                web.post("/write", self.write),
                web.patch("/arrays/{name}", self.change_firmware),
                web.get("/violations", self.list_violations),
            ]
        )
        return app

    async def health(self, request: web.Request) -> web.Response:
        return web.json_response({"status": "ok", "now": self.world.clock.now(), "speed": self.world.clock.speed})

    async def show_settings(self, request: web.Request) -> web.Response:
        return web.json_response(self.world.settings.as_json())

    async def change_settings(self, request: web.Request) -> web.Response:
        self.world.settings.change(await body(request))
        self.world.clock.speed = self.world.settings.speed
        return await self.show_settings(request)

    async def advance(self, request: web.Request) -> web.Response:
        seconds = (await body(request)).get("seconds")
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or seconds < 0:
            raise ApiError(400, "seconds must be a number, not negative")
        self.world.clock.advance(seconds)
        self._catch_up()
        return web.json_response({"now": self.world.clock.now()})

    async def list_requests(self, request: web.Request) -> web.Response:
        log = self.world.requests
        since = int(request.query.get("since", "0"))
        return web.json_response({"requests": log.since(since), "counters": log.counters()})

    async def clear_requests(self, request: web.Request) -> web.Response:
        self.world.requests.clear()
        return web.Response(status=204)

    async def list_faults(self, request: web.Request) -> web.Response:
        return web.json_response({"faults": self.world.faults.as_json()})

    async def add_fault(self, request: web.Request) -> web.Response:
        return web.json_response({"id": self.world.faults.add(await body(request))}, status=201)

    async def clear_faults(self, request: web.Request) -> web.Response:
        self.world.faults.clear()
        return web.Response(status=204)

    async def remove_fault(self, request: web.Request) -> web.Response:
        self.world.faults.remove(request.match_info["id"])
        return web.Response(status=204)

    async def take_snapshot(self, request: web.Request) -> web.Response:
        id = str(len(self._snapshots) + 1)
        self._snapshots[id] = self.world.snapshot()
        return web.json_response({"id": id}, status=201)

    async def restore(self, request: web.Request) -> web.Response:
        id = (await body(request)).get("id")
        if id not in self._snapshots:
            raise ApiError(404, f"no such snapshot: {id}")
        self.world.restore(self._snapshots[id])
        return web.Response(status=204)

    async def show_digest(self, request: web.Request) -> web.Response:
        self._catch_up()
        return web.json_response(digest(self.world))

    async def dump(self, request: web.Request) -> web.Response:
        self._catch_up()
        store = self.world.store
        return web.json_response({name: list(store.table(name)) for name in store.names()})

    async def write(self, request: web.Request) -> web.Response:
        order = await body(request)
        self._catch_up()
        contents = write_from_outside(self.world, order) if "array" in order else write(self.world, order)
        self.world.settle()
        return web.json_response({"volumes": contents}, status=201)

    async def change_firmware(self, request: web.Request) -> web.Response:
        """`version` and `both_targets_allowed`: whether a source may become a target while its peer is one."""
        array = self.world.arrays.get(request.match_info["name"])
        if array is None:
            raise ApiError(404, "no such array")
        facts = await body(request)
        refuse_unknown(facts, ("version", "both_targets_allowed"))
        array.set_firmware(**facts)
        self.world.settle()
        return web.json_response({"version": array.version, "both_targets_allowed": array.both_targets_allowed})

    async def list_violations(self, request: web.Request) -> web.Response:
        self._catch_up()
        return web.json_response({"violations": self.world.violations()})

    def _catch_up(self) -> None:
        self.world.events.run_due()
        self.world.settle()


@web.middleware
async def _errors(request: web.Request, handler: Any) -> web.StreamResponse:
    try:
        answer: web.StreamResponse = await handler(request)
    except ApiError as error:
        return web.json_response({"error": error.message}, status=error.status)
    except ValueError as error:
        return web.json_response({"error": str(error)}, status=400)
    except web.HTTPException as error:
        return web.json_response({"error": error.reason}, status=error.status)
    return answer
