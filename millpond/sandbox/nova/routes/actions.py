"""POST /servers/{id}/action."""

from collections.abc import Callable
from typing import Any

from aiohttp import web

from millpond.sandbox.core.store import Row
from millpond.sandbox.core.web import Caller, body, caller
from millpond.sandbox.nova import refusals
from millpond.sandbox.nova.routes.parse import SERVER, administrator, empty, minor, server
from millpond.sandbox.nova.schemas import NAME, NUMBER, Schema, record
from millpond.sandbox.nova.service import NovaService
from millpond.sandbox.nova.validation import check

Act = Callable[[Caller, Row, Any], None]

PLAIN = {
    "os-start": "start",
    "os-stop": "stop",
    "pause": "pause",
    "unpause": "unpause",
    "suspend": "suspend",
    "resume": "resume",
}
"""Actions without arguments, by the names that Power has for them."""
REBOOT = {"type": {"enum": ["HARD", "Hard", "hard", "SOFT", "Soft", "soft"]}}
RESIZE = {"flavorRef": {**NUMBER, "pattern": "^.+$"}, "OS-DCF:diskConfig": {"enum": ["AUTO", "MANUAL"]}}


def resize(minor: int) -> Schema:
    return record({"resize": record(RESIZE, ["flavorRef"])}, ["resize"])


def reboot(minor: int) -> Schema:
    return record({"reboot": record(REBOOT, ["type"])}, ["reboot"])


def lock(minor: int) -> Schema:
    reason = record({"locked_reason": NAME}) if minor >= 73 else {}
    return record({"lock": {"anyOf": [{"type": "null"}, reason]} if minor >= 73 else {}}, ["lock"])


def reset_state(minor: int) -> Schema:
    return record({"os-resetState": record({"state": {"enum": ["active", "error"]}}, ["state"])}, ["os-resetState"])


def single(name: str) -> Callable[[int], Schema]:
    def schema(minor: int) -> Schema:
        return record({name: {}}, [name])

    return schema


SCHEMAS: dict[str, Callable[[int], Schema]] = {
    **{name: single(name) for name in (*PLAIN, "unlock", "confirmResize", "revertResize")},
    "lock": lock,
    "reboot": reboot,
    "resize": resize,
    "os-resetState": reset_state,
}


def acts(nova: NovaService) -> dict[str, Act]:
    def power(name: str) -> Act:
        return lambda who, row, given: nova.power.act(who, row, name)

    def restart(who: Caller, row: Row, given: Any) -> None:
        nova.power.act(who, row, "reboot-hard" if given["type"].lower() == "hard" else "reboot")

    return {
        **{action: power(name) for action, name in PLAIN.items()},
        "lock": lambda who, row, given: nova.servers.lock(who, row, (given or {}).get("locked_reason")),
        "unlock": lambda who, row, given: nova.servers.unlock(who, row),
        "reboot": restart,
        "os-resetState": lambda who, row, given: nova.power.reset_state(who, row, given["state"]),
        "resize": lambda who, row, given: nova.resize.begin(who, row, str(given["flavorRef"])),
        "confirmResize": lambda who, row, given: nova.resize.confirm(who, row),
        "revertResize": lambda who, row, given: nova.resize.revert(who, row),
    }


def add(routes: web.RouteTableDef, nova: NovaService) -> None:
    known = acts(nova)

    @routes.post(SERVER + "/action")
    async def act(request: web.Request) -> web.Response:
        document = await body(request)
        name = next((name for name in document if name in known), None)
        if name is None:
            raise refusals.bad_request(f"There is no such action: {next(iter(document), '')}")
        check(SCHEMAS[name], minor(request), document)
        if name == "os-resetState":
            administrator(request, "os-admin-actions:reset_state")
        known[name](caller(request), server(request, nova), document[name])
        return empty(204 if name == "confirmResize" else 202)
