"""The Neutron of one simulated cloud: its resources, and the calls that Nova and the scenarios make in-process."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from millpond.sandbox.core.store import Row
from millpond.sandbox.neutron import extensions
from millpond.sandbox.neutron.agents import Agents
from millpond.sandbox.neutron.bindings import Bindings
from millpond.sandbox.neutron.collection import SERVICE, Collection
from millpond.sandbox.neutron.consumers import Consumers
from millpond.sandbox.neutron.floatingips import FloatingIPs
from millpond.sandbox.neutron.gateways import Gateways
from millpond.sandbox.neutron.interfaces import Interfaces
from millpond.sandbox.neutron.networks import Networks
from millpond.sandbox.neutron.ports import Ports
from millpond.sandbox.neutron.quotas import Quotas
from millpond.sandbox.neutron.routers import Routers
from millpond.sandbox.neutron.security_group_rules import SecurityGroupRules
from millpond.sandbox.neutron.security_groups import SecurityGroups
from millpond.sandbox.neutron.subnets import Subnets
from millpond.sandbox.neutron.watch import Watch

if TYPE_CHECKING:
    from millpond.sandbox.core.world import Cloud


class NeutronService:
    def __init__(self, cloud: "Cloud", of_clouds: "Mapping[str, NeutronService]") -> None:
        """`of_clouds` comes to hold the Neutron of every cloud, this one too: some rules span clouds."""
        self.cloud, self.of_clouds = cloud, of_clouds
        self.extensions = extensions.loaded(cloud.release)
        self.is_ovn = cloud.release.ml2 == "ovn"
        self._counters = cloud.table("neutron/counters")
        self.quotas = Quotas(self)
        self.watch = Watch(self)
        self.agents = Agents(self)
        self.networks = Networks(self)
        self.subnets = Subnets(self)
        self.ports = Ports(self)
        self.routers = Routers(self)
        self.floatingips = FloatingIPs(self)
        self.security_groups = SecurityGroups(self)
        self.security_group_rules = SecurityGroupRules(self)
        self.gateways = Gateways(self)
        self.interfaces = Interfaces(self)
        self.bindings = Bindings(self)
        self.consumers = Consumers(self)
        collections: tuple[Collection, ...] = (
            self.networks,
            self.subnets,
            self.ports,
            self.routers,
            self.floatingips,
            self.security_groups,
            self.security_group_rules,
            self.agents,
        )
        self.by_singular = {item.singular: item for item in collections}
        self.by_plural = {item.plural: item for item in collections}

    def next_mac(self) -> str:
        """The next MAC address of Neutron's default base, fa:16:3e:00:00:00; never the same twice in one cloud."""
        row = self._counters.get("mac") or self._counters.insert({"id": "mac", "value": 0})
        number = self._counters.update("mac", value=row["value"] + 1)["value"]
        # The two clouds of a world draw from different halves.
        half = 0x80 if self.cloud.name == "target" else 0
        return f"fa:16:3e:{half + (number >> 16 & 0x7F):02x}:{number >> 8 & 0xFF:02x}:{number & 0xFF:02x}"

    # What scenarios call: as an administrator, with the attributes and refusals of the API. `tags` may be given.

    def create_network(self, project_id: str, **attributes: Any) -> Row:
        return self._create(self.networks, project_id, attributes)

    def create_subnet(self, project_id: str, **attributes: Any) -> Row:
        return self._create(self.subnets, project_id, {"ip_version": 4, **attributes})

    def create_port(self, project_id: str, **attributes: Any) -> Row:
        return self._create(self.ports, project_id, attributes)

    def create_router(self, project_id: str, **attributes: Any) -> Row:
        return self._create(self.routers, project_id, attributes)

    def create_floatingip(self, project_id: str, **attributes: Any) -> Row:
        return self._create(self.floatingips, project_id, attributes)

    def create_security_group(self, project_id: str, **attributes: Any) -> Row:
        return self._create(self.security_groups, project_id, attributes)

    def create_security_group_rule(self, project_id: str, **attributes: Any) -> Row:
        return self._create(self.security_group_rules, project_id, attributes)

    def add_router_interface(self, router_id: str, subnet_id: str | None = None, port_id: str | None = None) -> Row:
        """Returns the interface's port."""
        answer = self.interfaces.add(SERVICE, router_id, {"subnet_id": subnet_id, "port_id": port_id})
        return self.ports.require(answer["port_id"])

    def _create(self, collection: Collection, project_id: str, attributes: Row) -> Row:
        tags: Iterable[str] = attributes.pop("tags", ())
        row = collection.create(SERVICE, {**attributes, "project_id": project_id})
        return collection.change(row, tags=list(tags)) if tags else row
