"""What projects have used of the cloud (nova/api/openstack/compute/simple_tenant_usage.py), and the old list of hosts."""

from datetime import UTC, datetime, timedelta
from itertools import groupby

from aiohttp import web

from millpond.sandbox.core.errors import ApiError
from millpond.sandbox.core.store import Row
from millpond.sandbox.core.web import caller
from millpond.sandbox.nova import refusals
from millpond.sandbox.nova.hypervisors import ZONE
from millpond.sandbox.nova.routes.cloud import CONTROLLERS
from millpond.sandbox.nova.routes.parse import administrator, minor
from millpond.sandbox.nova.service import NovaService

USAGE = "/v2.1/os-simple-tenant-usage"
HOSTS = "/v2.1/os-hosts"
FORM = "%Y-%m-%dT%H:%M:%S.%f"
Period = tuple[datetime, datetime]


def add(routes: web.RouteTableDef, nova: NovaService) -> None:
    _add_usage(routes, nova)
    _add_hosts(routes, nova)


def _add_usage(routes: web.RouteTableDef, nova: NovaService) -> None:
    def usages(request: web.Request, servers: list[Row], *, detailed: bool) -> list[Row]:
        asked, now = _period(request, nova), datetime.fromtimestamp(nova.cloud.world.clock.now(), UTC)
        rows = sorted((server for server in servers if server["launched_at"]), key=lambda server: str(server["project_id"]))
        return [_usage(list(own), asked, now, detailed=detailed) for _, own in groupby(rows, key=lambda server: server["project_id"])]

    @routes.get(USAGE)
    async def index(request: web.Request) -> web.Response:
        administrator(request, "os-simple-tenant-usage:list")
        found = usages(request, [*nova.servers.table, *nova.servers.deleted], detailed=request.query.get("detailed") == "1")
        return web.json_response({"tenant_usages": found})

    @routes.get(USAGE + "/{id}")
    async def show(request: web.Request) -> web.Response:
        who, id = caller(request), request.match_info["id"]
        if not who.is_admin and who.project_id != id:
            raise refusals.policy("os-simple-tenant-usage:show")
        own = [*nova.servers.table.where(project_id=id), *nova.servers.deleted.where(project_id=id)]
        found = usages(request, own, detailed=True)
        return web.json_response({"tenant_usage": found[0] if found else {}})


def _period(request: web.Request, nova: NovaService) -> Period:
    """`start` and `end`, both now where they are not given. ApiError 400 for what is no time, or ends before it starts."""
    now = datetime.fromtimestamp(nova.cloud.world.clock.now(), UTC)
    try:
        start, end = (_moment(request.query.get(name), now) for name in ("start", "end"))
    except ValueError as error:
        raise ApiError(400, f"Datetime is in invalid format: {error}") from None
    if end < start:
        raise ApiError(400, "Invalid start time. The start time cannot occur after the end time.")
    return start, end


def _moment(text: str | None, now: datetime) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC) if text else now


def _usage(servers: list[Row], asked: Period, now: datetime, *, detailed: bool) -> Row:
    each = [_server_usage(server, asked, now) for server in servers]
    total = {
        "tenant_id": servers[0]["project_id"],
        "total_hours": sum(one["hours"] for one in each),
        "total_local_gb_usage": sum(one["hours"] * one["local_gb"] for one in each),
        "total_memory_mb_usage": sum(one["hours"] * one["memory_mb"] for one in each),
        "total_vcpus_usage": sum(one["hours"] * one["vcpus"] for one in each),
        "start": asked[0].strftime(FORM),
        "stop": asked[1].strftime(FORM),
    }
    return {**total, "server_usages": each} if detailed else total


def _server_usage(server: Row, asked: Period, now: datetime) -> Row:
    launched = datetime.fromtimestamp(server["launched_at"], UTC)
    terminated = datetime.fromtimestamp(server["terminated_at"], UTC) if server.get("terminated_at") else None
    begun, ended = max(launched, asked[0]), min(terminated or now, asked[1])
    flavor = server["flavor"]
    return {
        "instance_id": server["id"],
        "name": server["name"],
        "tenant_id": server["project_id"],
        "flavor": flavor["name"],
        "hours": max(ended - begun, timedelta()).total_seconds() / 3600,
        "local_gb": flavor["disk"] + flavor["ephemeral"],
        "memory_mb": flavor["ram"],
        "vcpus": flavor["vcpus"],
        "started_at": launched.strftime(FORM),
        "ended_at": terminated.strftime(FORM) if terminated else None,
        "state": "terminated" if terminated else server["vm_state"],
        "uptime": int(((terminated or now) - launched).total_seconds()),
    }


def _add_hosts(routes: web.RouteTableDef, nova: NovaService) -> None:
    @routes.get(HOSTS)
    async def index(request: web.Request) -> web.Response:
        """Gone from 2.43 on."""
        administrator(request, "os-hosts:list")
        if minor(request) >= 43:
            raise ApiError(404, "The resource could not be found.")
        computes = [(row["host"], "compute", ZONE) for row in nova.hypervisors.table]
        others = [(f"{nova.cloud.name}-controller-0", name.removeprefix("nova-"), "internal") for name in CONTROLLERS]
        hosts = [{"host_name": host, "service": service, "zone": zone} for host, service, zone in (*others, *computes)]
        return web.json_response({"hosts": hosts})
