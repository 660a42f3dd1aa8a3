"""From a cloud's name to its services."""

from __future__ import annotations

from dataclasses import dataclass

from millpond.model.site import Limits
from millpond.providers.access import Access
from millpond.providers.openstack import block_storage, compute
from millpond.providers.openstack.block_storage import CinderBlockStorage
from millpond.providers.openstack.compute import NovaCompute
from millpond.providers.openstack.identity import KeystoneIdentity
from millpond.providers.openstack.image import GlanceImages
from millpond.providers.openstack.network import NeutronNetworking
from millpond.providers.openstack.scopes import Scopes
from millpond.providers.openstack.service import Service


@dataclass(frozen=True)
class OpenStackCloud:
    """The port `Cloud`. May be used from many threads."""

    name: str
    user_id: str
    project_id: str
    verified: bool
    identity: KeystoneIdentity
    compute: NovaCompute
    block_storage: CinderBlockStorage
    network: NeutronNetworking
    image: GlanceImages
    scopes: Scopes

    def close(self) -> None:
        """Ends its connections; a later request opens them anew."""
        self.scopes.close()


def connect(cloud_name: str, access: Access, limits: Limits | None = None) -> OpenStackCloud:
    """Logs in to a cloud of clouds.yaml. Raises MissingCloud, BadCredentials, Unreachable.

    With `Access.READ` every mutating method raises WriteRefused and sends nothing.
    """
    scopes = Scopes(cloud_name, access, limits or Limits())
    return OpenStackCloud(
        name=cloud_name,
        user_id=scopes.user_id,
        project_id=scopes.project_id,
        verified=scopes.verified,
        identity=KeystoneIdentity(Service(scopes, "identity")),
        compute=NovaCompute(Service(scopes, "compute", compute.VERSIONS)),
        block_storage=CinderBlockStorage(Service(scopes, "block-storage", block_storage.VERSIONS)),
        network=NeutronNetworking(Service(scopes, "network")),
        image=GlanceImages(Service(scopes, "image")),
        scopes=scopes,
    )
