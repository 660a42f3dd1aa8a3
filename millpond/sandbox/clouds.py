"""One simulated cloud with its services."""

from collections.abc import Mapping

from millpond.sandbox.cinder.service import CinderService
from millpond.sandbox.core.releases import Release
from millpond.sandbox.core.world import Cloud, World
from millpond.sandbox.glance.service import GlanceService
from millpond.sandbox.infinibox.array import InfiniBox
from millpond.sandbox.keystone.service import KeystoneService
from millpond.sandbox.neutron.service import NeutronService
from millpond.sandbox.nova.service import NovaService
from millpond.sandbox.placement.service import PlacementService


class SimulatedCloud(Cloud):
    """Each service is given those that it calls itself; Keystone answers for every request of all."""

    def __init__(
        self, name: str, release: Release, base_url: str, world: World, arrays: Mapping[str, InfiniBox], neutron: dict[str, NeutronService]
    ) -> None:
        """`neutron` holds those of all clouds; this cloud's is added."""
        super().__init__(name, release, base_url, world)
        self.keystone = KeystoneService(self)
        self.authenticate = self.keystone.caller
        self.glance = GlanceService(self)
        self.neutron = neutron[name] = NeutronService(self, neutron)
        self.cinder = CinderService(self, arrays)
        self.nova = NovaService(self, self.keystone, self.glance, self.neutron, self.cinder)
        self.placement = PlacementService(self, self.nova.hypervisors)
