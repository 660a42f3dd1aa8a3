"""Nova's rules, without HTTP."""

from typing import Any

from millpond.sandbox.core.world import Cloud
from millpond.sandbox.nova.attachments import Attachments
from millpond.sandbox.nova.boot import Boot
from millpond.sandbox.nova.builds import Builds
from millpond.sandbox.nova.digest import digest
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

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.quotas = Quotas(cloud)
        self.flavors = Flavors(cloud)
        self.keypairs = Keypairs(cloud, self.quotas)
        self.server_groups = ServerGroups(cloud, self.quotas)
        self.hypervisors = Hypervisors(cloud)
        self.scheduler = Scheduler(cloud, self.hypervisors)
        self.servers = Servers(cloud)
        self.metadata = ServerMetadata(self.servers, self.quotas)
        self.removal = Removal(cloud, self.servers, self.server_groups)
        self.power = Power(cloud, self.servers)
        self.resize = Resize(cloud, self.servers, self.flavors, self.quotas)
        self.attachments = Attachments(cloud, self.servers)
        self.interfaces = Interfaces(cloud, self.servers)
        self.builds = Builds(self)
        self.boot = Boot(self)

    def digest(self) -> dict[str, Any]:
        """What of this Nova decides where a migration ends up; see core.digest."""
        return digest(self)
