"""What is the operator's: hypervisors, services, availability zones."""

from aiohttp import web

from millpond.sandbox.core.errors import ApiError
from millpond.sandbox.core.store import Row
from millpond.sandbox.nova import admin_schemas
from millpond.sandbox.nova.boolean import is_true
from millpond.sandbox.nova.hypervisors import ZONE
from millpond.sandbox.nova.routes.parse import administrator, checked, minor
from millpond.sandbox.nova.service import NovaService

HYPERVISORS = "/v2.1/os-hypervisors"
SERVICES = "/v2.1/os-services"
ZONES = "/v2.1/os-availability-zone"
COUNTED = (
    "vcpus",
    "memory_mb",
    "local_gb",
    "vcpus_used",
    "memory_mb_used",
    "local_gb_used",
    "free_ram_mb",
    "free_disk_gb",
    "disk_available_least",
    "current_workload",
    "running_vms",
)
"""What the statistics of hypervisors add up."""
CONTROLLERS = ("nova-conductor", "nova-scheduler")


def add(routes: web.RouteTableDef, nova: NovaService) -> None:
    _add_hypervisors(routes, nova)
    _add_services(routes, nova)
    _add_zones(routes, nova)
    _add_aggregates(routes)


def basic(row: Row, minor: int) -> Row:
    return {
        "id": row["id"] if minor >= 53 else row["number"],
        "hypervisor_hostname": row["host"],
        "state": "down" if row["forced_down"] else "up",
        "status": row["status"],
    }


def detailed(nova: NovaService, row: Row, minor: int) -> Row:
    """From 2.88 on capacity is Placement's business."""
    service = {
        "id": row["service_id"] if minor >= 53 else row["number"],
        "host": row["host"],
        "disabled_reason": row["disabled_reason"],
    }
    shown = {
        **basic(row, minor),
        "host_ip": f"192.0.2.{row['number']}",
        "hypervisor_type": "QEMU",
        "hypervisor_version": 4002000,
        "service": service,
    }
    if minor >= 88:
        return {**shown, "uptime": None}
    used = nova.hypervisors.used(row["host"])
    return {
        **shown,
        "vcpus": row["vcpus"],
        "memory_mb": row["memory_mb"],
        "local_gb": row["local_gb"],
        "vcpus_used": used["vcpus"],
        "memory_mb_used": used["memory_mb"],
        "local_gb_used": used["local_gb"],
        "free_ram_mb": row["memory_mb"] - used["memory_mb"],
        "free_disk_gb": row["local_gb"] - used["local_gb"],
        "disk_available_least": row["local_gb"] - used["local_gb"],
        "current_workload": 0,
        "running_vms": used["servers"],
        "cpu_info": "" if minor < 28 else {"arch": "x86_64", "model": "host", "vendor": "Intel"},
    }


def _add_hypervisors(routes: web.RouteTableDef, nova: NovaService) -> None:
    def chosen(request: web.Request) -> list[Row]:
        administrator(request, "os-hypervisors:list")
        pattern = request.query.get("hypervisor_hostname_pattern", "") if minor(request) >= 53 else ""
        rows = [row for row in nova.hypervisors.table if pattern in row["host"]]
        if pattern and not rows:
            raise ApiError(404, f"No hypervisor matching '{pattern}' could be found.")
        return rows

    @routes.get(HYPERVISORS)
    async def index(request: web.Request) -> web.Response:
        return web.json_response({"hypervisors": [basic(row, minor(request)) for row in chosen(request)]})

    @routes.get(HYPERVISORS + "/detail")
    async def detail(request: web.Request) -> web.Response:
        rows = [detailed(nova, row, minor(request)) for row in chosen(request)]
        return web.json_response({"hypervisors": rows})

    @routes.get(HYPERVISORS + "/statistics")
    async def statistics(request: web.Request) -> web.Response:
        """Of all that are enabled. Gone from 2.88 on, as capacity is Placement's business."""
        administrator(request, "os-hypervisors:statistics")
        if minor(request) >= 88:
            raise ApiError(404, "The resource could not be found.")
        rows = [detailed(nova, row, 1) for row in nova.hypervisors.table if row["status"] == "enabled"]
        total = {name: sum(row[name] for row in rows) for name in COUNTED}
        return web.json_response({"hypervisor_statistics": {"count": len(rows), **total}})

    @routes.get(HYPERVISORS + "/{id}")
    async def show(request: web.Request) -> web.Response:
        administrator(request, "os-hypervisors:show")
        row = nova.hypervisors.require(request.match_info["id"])
        return web.json_response({"hypervisor": detailed(nova, row, minor(request))})


def _add_services(routes: web.RouteTableDef, nova: NovaService) -> None:
    def shown(row: Row, minor: int) -> Row:
        document = {
            "id": row["service_id"] if minor >= 53 else row["number"],
            "binary": "nova-compute",
            "host": row["host"],
            "zone": ZONE,
            "status": row["status"],
            "state": "down" if row["forced_down"] else "up",
            "updated_at": nova.cloud.world.clock.iso_us(),
            "disabled_reason": row["disabled_reason"],
        }
        return {**document, "forced_down": row["forced_down"]} if minor >= 11 else document

    def controllers(minor: int) -> list[Row]:
        ids = [f"{nova.cloud.name}-{binary}" for binary in CONTROLLERS]
        plain = {"status": "enabled", "forced_down": False, "disabled_reason": None, "number": 100}
        rows = [{**plain, "service_id": id, "host": f"{nova.cloud.name}-controller-0"} for id in ids]
        return [{**shown(row, minor), "binary": binary, "zone": "internal"} for row, binary in zip(rows, CONTROLLERS, strict=True)]

    @routes.get(SERVICES)
    async def index(request: web.Request) -> web.Response:
        administrator(request, "os-services:list")
        rows = [*controllers(minor(request)), *(shown(row, minor(request)) for row in nova.hypervisors.table)]
        wanted = {name: request.query[name] for name in ("host", "binary") if name in request.query}
        found = [row for row in rows if all(row[name] == value for name, value in wanted.items())]
        return web.json_response({"services": found})

    @routes.put(SERVICES + "/{id}")
    async def update(request: web.Request) -> web.Response:
        administrator(request, "os-services:update")
        given = await checked(request, admin_schemas.update_service)
        row = nova.hypervisors.service(request.match_info["id"])
        changes = {**given, **({"forced_down": is_true(given["forced_down"])} if "forced_down" in given else {})}
        nova.hypervisors.table.update(row["id"], **changes)
        return web.json_response({"service": shown(row, minor(request))})


def _add_zones(routes: web.RouteTableDef, nova: NovaService) -> None:
    def zone(hosts: Row | None) -> web.Response:
        shown = {"zoneName": ZONE, "zoneState": {"available": True}, "hosts": hosts}
        return web.json_response({"availabilityZoneInfo": [shown]})

    @routes.get(ZONES)
    async def index(request: web.Request) -> web.Response:
        return zone(None)

    @routes.get(ZONES + "/detail")
    async def detail(request: web.Request) -> web.Response:
        administrator(request, "os-availability-zone:detail")
        now = nova.cloud.world.clock.iso_us()
        state = {"available": True, "active": True, "updated_at": now}
        return zone({row["host"]: {"nova-compute": state} for row in nova.hypervisors.table})


def _add_aggregates(routes: web.RouteTableDef) -> None:
    @routes.get("/v2.1/os-aggregates")
    async def index(request: web.Request) -> web.Response:
        administrator(request, "os-aggregates:index")
        return web.json_response({"aggregates": []})
