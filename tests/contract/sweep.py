"""Takes away what the tests made, so that they can be played again on the same clouds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.contract.ground import Ground

VISITED_BY_NAME = (
    ("compute", "/flavors/detail", "flavors", "/flavors/{}"),
    ("identity", "/users", "users", "/users/{}"),
    ("identity", "/projects", "projects", "/projects/{}"),
)


def sweep(ground: Ground) -> None:
    for project in (ground.project_id, ground.other_project_id):
        servers(ground, project)
        network(ground, project)
        volumes(ground, project)
    for service, path, key, one in VISITED_BY_NAME:
        more = {"is_public": "None"} if key == "flavors" else {}
        for row in ground.admin.done("GET", service, path, **more)[key]:
            if row["name"].startswith(ground.tag):
                ground.admin.call("DELETE", service, one.format(row["id"]))


def rows(ground: Ground, service: str, path: str, key: str, **query: Any) -> Iterator[dict[str, Any]]:
    yield from ground.admin.done("GET", service, path, **query)[key]


def servers(ground: Ground, project: str) -> None:
    found = [row["id"] for row in rows(ground, "compute", "/servers", "servers", all_tenants="1", project_id=project)]
    for id in found:
        ground.admin.call("POST", "compute", f"/servers/{id}/action", {"unlock": None})
        ground.admin.call("DELETE", "compute", f"/servers/{id}")
    for id in found:
        ground.gone("compute", f"/servers/{id}")
    for row in rows(ground, "compute", "/os-server-groups", "server_groups", all_projects="True"):
        if row.get("project_id") == project:
            ground.admin.call("DELETE", "compute", f"/os-server-groups/{row['id']}")
    for row in rows(ground, "compute", "/os-keypairs", "keypairs"):
        if row["keypair"]["name"].startswith(ground.tag):
            ground.admin.call("DELETE", "compute", f"/os-keypairs/{row['keypair']['name']}")


def network(ground: Ground, project: str) -> None:
    for row in rows(ground, "network", "/floatingips", "floatingips", project_id=project):
        ground.admin.call("DELETE", "network", f"/floatingips/{row['id']}")
    for router in rows(ground, "network", "/routers", "routers", project_id=project):
        clear: dict[str, Any] = {"router": {"routes": [], "external_gateway_info": {}}}
        ground.admin.call("PUT", "network", f"/routers/{router['id']}", clear)
        for port in rows(ground, "network", "/ports", "ports", device_id=router["id"]):
            ground.admin.call("PUT", "network", f"/routers/{router['id']}/remove_router_interface", {"port_id": port["id"]})
        ground.admin.call("DELETE", "network", f"/routers/{router['id']}")
    for kind in ("port", "subnet", "network", "security-group"):
        key = f"{kind.replace('-', '_')}s"
        for row in rows(ground, "network", f"/{kind}s", key, project_id=project):
            ground.admin.call("DELETE", "network", f"/{kind}s/{row['id']}")


def volumes(ground: Ground, project: str) -> None:
    where = {"all_tenants": "1", "project_id": project}
    for row in rows(ground, "block_storage", "/snapshots", "snapshots", **where):
        ground.admin.call("DELETE", "block_storage", f"/snapshots/{row['id']}")
        ground.gone("block_storage", f"/snapshots/{row['id']}")
    for row in rows(ground, "block_storage", "/backups", "backups", **where):
        if ground.admin.call("DELETE", "block_storage", f"/backups/{row['id']}").status < 400:  # a cloud without cinder-backup keeps it
            ground.gone("block_storage", f"/backups/{row['id']}")
    found = [row["id"] for row in rows(ground, "block_storage", "/volumes/detail", "volumes", **where)]
    for row in rows(ground, "block_storage", "/attachments", "attachments", version="3.27", **where):
        if row["volume_id"] in found:  # what refused boots have left
            ground.admin.call("DELETE", "block_storage", f"/attachments/{row['id']}", version="3.27")
    for id in found:
        if ground.show_volume(id)["status"] != "available":
            ground.act_on_volume(id, "os-reset_status", {"status": "available"})
        ground.admin.call("DELETE", "block_storage", f"/volumes/{id}")
    for id in found:
        ground.gone("block_storage", f"/volumes/{id}")
