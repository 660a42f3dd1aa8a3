"""The ports of servers: those a boot asks for, os-interface, and what a server shows of its addresses."""

from typing import TYPE_CHECKING, Any

from millpond.sandbox.core.errors import ApiError
from millpond.sandbox.core.store import Row
from millpond.sandbox.core.web import Caller
from millpond.sandbox.neutron.service import NeutronService
from millpond.sandbox.nova import refusals
from millpond.sandbox.nova.servers import RUNNING, Servers

if TYPE_CHECKING:
    from millpond.sandbox.core.world import Cloud

Nic = dict[str, Any]
AMBIGUOUS = "Multiple possible networks found, use a Network ID to be more specific."


class Interfaces:
    def __init__(self, cloud: "Cloud", servers: Servers, neutron: NeutronService) -> None:
        self.cloud, self.neutron = cloud, neutron
        self.servers = servers

    def requested(self, caller: Caller, networks: Any) -> list[Nic]:
        """The NICs of a boot in order. `networks` None or "auto": the project's only network.

        ApiError 400 for what is not there or has no address, 409 for a port in use or more than one network.
        """
        if networks == "none":
            return []
        if networks in (None, "auto", []):
            return self._only_network(caller, required=networks == "auto")
        return [self._nic(caller, item) for item in networks]

    def listed(self, server: Row) -> list[Row]:
        """The server's ports as Neutron lists them: in no order that says anything about the NICs."""
        return sorted(self._ports(server), key=lambda port: str(port["id"]))

    def show(self, server: Row, port_id: str) -> Row:
        for port in self._ports(server):
            if port["id"] == port_id:
                return port
        raise ApiError(404, f"Instance {server['id']} does not have a port with id {port_id}")

    def attach(self, caller: Caller, server: Row, given: dict[str, Any]) -> Row:
        """Plugs a port that is there, or one made on `net_id`. ApiError 400, 404, 409 as at boot."""
        self.servers.check_lock(caller, server)
        self.servers.check_state(server, "attach_interface", ("active", "paused", "stopped"))
        if bool(given.get("port_id")) == bool(given.get("net_id")):
            raise refusals.bad_request("Must not input both network_id and port_id" if given.get("port_id") else AMBIGUOUS)
        fixed_ip = given["fixed_ips"][0]["ip_address"] if given.get("fixed_ips") else None
        item = {"port": given.get("port_id"), "uuid": given.get("net_id"), "fixed_ip": fixed_ip, "tag": given.get("tag")}
        nic = self.plug(server, self._nic(caller, item))
        self.servers.record(caller, server, "attach_interface")
        self.servers.change(server, nics=[*server["nics"], nic])
        if server["power_state"] == RUNNING:
            self.neutron.bindings.port_active(nic["port_id"])
        return self.show(server, nic["port_id"])

    def detach(self, caller: Caller, server: Row, port_id: str) -> None:
        self.show(server, port_id)
        self.servers.check_lock(caller, server)
        self.servers.check_state(server, "detach_interface", ("active", "paused", "stopped"))
        gone = next(nic for nic in server["nics"] if nic["port_id"] == port_id)
        self.neutron.bindings.unbind_port(port_id, delete_if_created_by_nova=gone["created"])
        self.servers.record(caller, server, "detach_interface")
        self.servers.change(server, nics=[nic for nic in server["nics"] if nic["port_id"] != port_id])

    def plug(self, server: Row, nic: Nic) -> Nic:
        """Gives the NIC its port, bound to the server's host. ApiError when Neutron refuses."""
        neutron = self.neutron.bindings
        if nic["port_id"] is None:
            groups = server["security_groups"]
            port = neutron.create_port_for_nova(server["project_id"], nic["network_id"], nic["fixed_ip"], groups)
            nic = {**nic, "port_id": port["id"]}
        else:
            neutron.port_for_boot(nic["port_id"], server["project_id"], server["hostname"])
        neutron.bind_port(nic["port_id"], server["id"], server["host"], hostname=server["hostname"])
        return nic

    def _nic(self, caller: Caller, item: dict[str, Any]) -> Nic:
        nic: Nic = {"port_id": item.get("port"), "network_id": None, "fixed_ip": item.get("fixed_ip"), "tag": item.get("tag")}
        if nic["port_id"]:
            return nic | {"network_id": self._free_port(caller, nic["port_id"])["network_id"], "created": False}
        network = self.neutron.networks.table.get(item.get("uuid", ""))
        if network is None or not self._may_use(caller, network):
            raise refusals.bad_request(f"Network {item.get('uuid')} could not be found.")
        if not self.neutron.subnets.table.where(network_id=network["id"]):
            raise refusals.bad_request(f"Network {network['id']} requires a subnet in order to boot instances on.")
        return nic | {"network_id": network["id"], "created": True}

    def _free_port(self, caller: Caller, id: str) -> Row:
        port = self.neutron.ports.table.get(id)
        if port is None or not self.neutron.ports.visible(caller, port):  # its network's owner sees it, too
            raise refusals.bad_request(f"Port id {id} could not be found.")
        if port["device_id"]:
            raise refusals.conflict(f"Port {id} is still in use.")
        if not port["fixed_ips"]:
            raise refusals.bad_request(f"Port {id} requires a FixedIP in order to be used.")
        return port

    def _may_use(self, caller: Caller, network: Row) -> bool:
        return bool(caller.is_admin or network["shared"] or network["project_id"] == caller.project_id)

    def _only_network(self, caller: Caller, required: bool) -> list[Nic]:
        own = self.neutron.networks.table.where(project_id=caller.project_id)
        if len(own) > 1:
            raise refusals.conflict(AMBIGUOUS)
        if not own and required:
            raise refusals.bad_request("Unable to automatically allocate a network for project " + str(caller.project_id))
        return [self._nic(caller, {"uuid": network["id"]}) for network in own]

    def _ports(self, server: Row) -> list[Row]:
        """In NIC order."""
        found = (self.neutron.ports.table.get(nic["port_id"]) for nic in server["nics"] if nic["port_id"])
        return [port for port in found if port is not None]

    def addresses(self, server: Row) -> dict[str, list[Row]]:
        """By network name in NIC order, floating addresses after all fixed ones; hidden while the server is building."""
        if server["vm_state"] == "building":
            return {}
        ports = [nic["port_id"] for nic in server["nics"]]
        found = self.neutron.bindings.server_addresses(server["id"], ports)
        return {name: sorted(items, key=lambda item: item["OS-EXT-IPS:type"] == "floating") for name, items in found.items()}

    def security_groups(self, server: Row) -> list[Row]:
        """One entry per group and port, as Nova shows them; a group on two ports stands there twice."""
        groups = self.neutron.security_groups.table
        found = (groups.get(id) for port in self._ports(server) for id in port["security_groups"])
        return [{"name": group["name"] or group["id"]} for group in found if group is not None]
