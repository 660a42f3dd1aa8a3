"""Nova's rules, without HTTP."""

from millpond.sandbox.cinder.service import CinderService
from millpond.sandbox.core.world import Cloud
from millpond.sandbox.glance.service import GlanceService
from millpond.sandbox.keystone.service import KeystoneService
from millpond.sandbox.neutron.service import NeutronService
from millpond.sandbox.nova.attachments import Attachments
from millpond.sandbox.nova.boot import Boot
from millpond.sandbox.nova.builds import Builds
from millpond.sandbox.nova.flavors import Flavors
from millpond.sandbox.nova.hypervisors import Hypervisors
from millpond.sandbox.nova.interfaces import Interfaces
from millpond.sandbox.nova.keypairs import Keypairs
from millpond.sandbox.nova.power import Power
from millpond.sandbox.nova.quotas import Quotas
from millpond.sandbox.nova.removal import Removal
from millpond.sandbox.nova.resize import Resize
from millpond.sandbox.nova.scheduler import Scheduler
from millpond.sandbox.nova.server_groups import ServerGroups
from millpond.sandbox.nova.server_metadata import ServerMetadata
from millpond.sandbox.nova.servers import Servers


class NovaService:
    """One cloud's Nova, by subject. What takes time is done by events of the world's virtual time."""

    def __init__(
        self, cloud: Cloud, keystone: KeystoneService, glance: GlanceService, neutron: NeutronService, cinder: CinderService
    ) -> None:
        self.cloud, self.keystone, self.glance, self.neutron, self.cinder = cloud, keystone, glance, neutron, cinder
        self.quotas = Quotas(cloud)
        self.flavors = Flavors(cloud)
        self.keypairs = Keypairs(cloud, self.quotas)
        self.server_groups = ServerGroups(cloud, self.quotas)
        self.hypervisors = Hypervisors(cloud)
        self.scheduler = Scheduler(cloud, self.hypervisors)
        self.servers = Servers(cloud)
        self.metadata = ServerMetadata(self.servers, self.quotas)
        self.removal = Removal(cloud, self.servers, self.server_groups, neutron, cinder)
        self.power = Power(cloud, self.servers, neutron)
        self.resize = Resize(cloud, self.servers, self.flavors, self.quotas)
        self.attachments = Attachments(cloud, self.servers, cinder)
        self.interfaces = Interfaces(cloud, self.servers, neutron)
        self.builds = Builds(self)
        self.boot = Boot(self)
