"""From the site file to logins: each cloud and array logs in when it is first asked for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from millpond.errors import MillpondError
from millpond.model.site import Site
from millpond.providers.access import Access
from millpond.providers.first_use import FirstUse
from millpond.providers.ports import Cloud, StorageArray

if TYPE_CHECKING:
    from millpond.providers.infinibox import InfiniBoxArray


class UnknownArray(MillpondError):
    summary = "An array is not configured"


class SiteProviders:
    """The port `Providers`. openstacksdk and infinisdk are imported only when a cloud or an array is asked for."""

    def __init__(self, site: Site, source_cloud: str, target_cloud: str, access: Access) -> None:
        self.site = site
        self._source_cloud = source_cloud
        self._target_cloud = target_cloud
        self._access = access
        self._lock = Lock()
        self._clouds: dict[str, FirstUse[Cloud]] = {name: FirstUse(partial(self._login, name)) for name in (source_cloud, target_cloud)}
        self._arrays: dict[str, InfiniBoxArray] = {}

    @property
    def source(self) -> Cloud:
        return self._clouds[self._source_cloud].get()

    @property
    def target(self) -> Cloud:
        return self._clouds[self._target_cloud].get()

    def _login(self, name: str) -> Cloud:
        from millpond.providers.openstack import connect  # noqa: PLC0415 (half a second)

        return connect(name, self._access, self.site.limits)

    def array(self, name: str) -> StorageArray:
        with self._lock:
            arrays = self._arrays or self._made_arrays()
        if name not in arrays:
            fix = f"Add it to arrays in millpond.yaml; there are: {', '.join(sorted(arrays)) or 'none'}."
            raise UnknownArray(f"array {name} is not configured", where="millpond.yaml", fix=fix)
        return arrays[name]

    def _made_arrays(self) -> Mapping[str, InfiniBoxArray]:
        from millpond.providers.infinibox import InfiniBoxArray  # noqa: PLC0415 (a third of a second)

        directory, limits = Path(self.site.directory), self.site.limits
        for one in self.site.arrays:
            self._arrays[one.name] = InfiniBoxArray(one, self._access, limits, directory, lambda: self._arrays)
        return self._arrays


def open_providers(site: Site, source_cloud: str, target_cloud: str, access: Access) -> SiteProviders:
    """Sends nothing yet: MissingCloud, BadCredentials and Unreachable come with the first use of a side."""
    return SiteProviders(site, source_cloud, target_cloud, access)


def places(clouds: Iterable[str]) -> dict[str, str]:
    """Name → which cloud it stands for. MissingCloud where one is not configured; nothing is sent."""
    from millpond.providers.openstack.place import place_of  # noqa: PLC0415 (half a second)

    return {cloud: place_of(cloud) for cloud in sorted(clouds)}


def configured_clouds() -> tuple[str, ...]:
    """Names of the clouds that this machine knows. UnreadableClouds where clouds.yaml cannot be read; nothing is sent."""
    from millpond.providers.openstack.clouds_yaml import cloud_names  # noqa: PLC0415 (a third of a second)

    return cloud_names()
