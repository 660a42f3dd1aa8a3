"""What Nova shows of a server, by microversion (nova/api/openstack/compute/views/servers.py)."""

import hashlib
from typing import TYPE_CHECKING, Any

from millpond.sandbox.core.store import Row
from millpond.sandbox.core.web import Caller
from millpond.sandbox.nova.servers import status

if TYPE_CHECKING:
    from millpond.sandbox.nova.service import NovaService

PROGRESS = ("ACTIVE", "BUILD", "REBUILD", "RESIZE", "VERIFY_RESIZE", "MIGRATING")


class ServerView:
    """The views of one request: its caller and microversion decide which fields are there."""

    def __init__(self, nova: "NovaService", caller: Caller, minor: int) -> None:
        self.nova = nova
        self.caller = caller
        self.minor = minor

    def links(self, kind: str, id: str) -> list[dict[str, str]]:
        base = f"{self.nova.cloud.base_url}/compute"
        return [
            {"rel": "self", "href": f"{base}/v2.1/{kind}/{id}"},
            {"rel": "bookmark", "href": f"{base}/{kind}/{id}"},
        ]

    def bookmark(self, kind: str, id: str) -> dict[str, Any]:
        return {"id": id, "links": self.links(kind, id)[1:]}

    def basic(self, server: Row) -> Row:
        return {"id": server["id"], "name": server["name"], "links": self.links("servers", server["id"])}

    def created(self, server: Row, asked_groups: list[Row] | None) -> Row:
        return {
            "id": server["id"],
            "links": self.links("servers", server["id"]),
            "OS-DCF:diskConfig": server["disk_config"],
            "security_groups": asked_groups or [{"name": "default"}],
            "adminPass": hashlib.sha256(server["id"].encode()).hexdigest()[:12],
        }

    def detailed(self, server: Row, *, with_groups: bool = True) -> Row:
        """`with_groups`: server_groups, which the list does not have."""
        shown = {**self.core(server), **self.extended(server), **self.by_microversion(server)}
        if self.minor >= 71 and with_groups:
            group = self.nova.server_groups.of(server["id"])
            shown["server_groups"] = [group["id"]] if group else []
        return shown

    def core(self, server: Row) -> Row:
        """What PUT answers below 2.75 too."""
        clock, state = self.nova.cloud.world.clock, status(server)
        shown = {
            **self.basic(server),
            "accessIPv4": server["access_ip_v4"] or "",
            "accessIPv6": server["access_ip_v6"] or "",
            "addresses": self.nova.interfaces.addresses(server),
            "created": clock.iso(server["created_at"]),
            "updated": clock.iso(server["updated_at"]),
            "flavor": self.flavor(server["flavor"]),
            "hostId": host_id(server),
            "image": self.bookmark("images", server["image_ref"]) if server["image_ref"] else "",
            "metadata": server["metadata"],
            "status": state,
            "tenant_id": server["project_id"],
            "user_id": server["user_id"],
            "OS-DCF:diskConfig": server["disk_config"],
        }
        if state in PROGRESS:
            shown["progress"] = 0
        if state in ("ERROR", "DELETED") and server["fault"]:
            shown["fault"] = server["fault"]
        return shown | self.described(server)

    def described(self, server: Row) -> Row:
        shown: Row = {}
        if self.minor >= 9:
            shown["locked"] = bool(server["locked_by"])
        if self.minor >= 19:
            shown["description"] = server["description"]
        if self.minor >= 26:
            shown["tags"] = server["tags"]
        if self.minor >= 63:
            shown["trusted_image_certificates"] = server["trusted_certs"]
        if self.minor >= 73:
            shown["locked_reason"] = server["locked_reason"]
        return shown

    def flavor(self, flavor: Row) -> Row:
        """From 2.47 on the copy that the server was built with, which has no id."""
        if self.minor < 47:
            return self.bookmark("flavors", flavor["id"])
        names = ("vcpus", "ram", "disk", "ephemeral", "swap", "extra_specs")
        return {**{name: flavor[name] for name in names}, "original_name": flavor["name"]}

    def extended(self, server: Row) -> Row:
        clock = self.nova.cloud.world.clock
        terminated = server.get("terminated_at")
        shown = {
            "OS-EXT-AZ:availability_zone": (server["availability_zone"] or "nova") if server["host"] else "",
            "config_drive": server["config_drive"],
            "key_name": server["key_name"],
            "OS-SRV-USG:launched_at": clock.iso_us(server["launched_at"]) if server["launched_at"] else None,
            "OS-SRV-USG:terminated_at": clock.iso_us(terminated) if terminated else None,
            "OS-EXT-STS:task_state": server["task_state"],
            "OS-EXT-STS:vm_state": server["vm_state"],
            "OS-EXT-STS:power_state": server["power_state"],
            "os-extended-volumes:volumes_attached": [self.volume(device) for device in server["volumes"] if device["volume_id"]],
        }
        groups = self.nova.interfaces.security_groups(server)
        return shown | ({"security_groups": groups} if groups else {})

    def volume(self, device: Row) -> Row:
        shown = {"id": device["volume_id"]}
        return shown | ({"delete_on_termination": device["delete_on_termination"]} if self.minor >= 3 else {})

    def by_microversion(self, server: Row) -> Row:
        shown: Row = {}
        if self.caller.is_admin:
            shown |= self.attributes(server)
        elif self.minor >= 90:
            shown["OS-EXT-SRV-ATTR:hostname"] = server["hostname"]
        if self.minor >= 16 and self.caller.is_admin:
            shown["host_status"] = "UP" if server["host"] else ""
        return shown

    def attributes(self, server: Row) -> Row:
        """OS-EXT-SRV-ATTR, for administrators alone."""
        shown = {
            "host": server["host"],
            "hypervisor_hostname": server["host"],
            "instance_name": f"instance-{server['number']:08x}",
        }
        if self.minor >= 3:
            shown |= {name: server[name] for name in ("hostname", "root_device_name", "reservation_id", "user_data")}
            shown |= {"kernel_id": "", "ramdisk_id": "", "launch_index": 0}
        return {f"OS-EXT-SRV-ATTR:{name}": value for name, value in shown.items()}

    def updated(self, server: Row) -> Row:
        if self.minor >= 75:
            return self.detailed(server)
        return self.core(server)


def host_id(server: Row) -> str:
    """The same for all of a project's servers on one host, and telling nothing else (nova/utils.py, generate_hostid)."""
    if not server["host"]:
        return ""
    return hashlib.sha224(f"{server['project_id']}{server['host']}".encode()).hexdigest()
