"""From the site file to logins: each cloud and array logs in when it is first asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Self

from millpond.errors import BadCredentials, MillpondError, MissingCloud, ReadingAccount, Unreachable
from millpond.model.site import Site
from millpond.providers.access import Access
from millpond.providers.first_use import FirstUse
from millpond.providers.ports import Cloud, StorageArray
from millpond.providers.together import together

if TYPE_CHECKING:
    from millpond.providers.infinibox import InfiniBoxArray
    from millpond.providers.openstack.login import OpenStackCloud


NO_LOGIN = (BadCredentials, MissingCloud, ReadingAccount, Unreachable)


class UnknownArray(MillpondError):
    summary = "An array is not configured"


class SiteProviders:
    """The port `Providers`. openstacksdk and infinisdk are imported only when a cloud or an array is asked for.

    Left as a context, it ends its connections: each tenant has its own, and a run may have hundreds of tenants.
    """

    def __init__(self, site: Site, source_cloud: str, target_cloud: str, access: Access) -> None:
        self.site = site
        self._source_cloud = source_cloud
        self._target_cloud = target_cloud
        self._access = access
        self._lock = Lock()
        self._clouds: dict[str, FirstUse[OpenStackCloud]] = {
            name: FirstUse(partial(self._login, name)) for name in (source_cloud, target_cloud)
        }
        self._arrays: dict[str, InfiniBoxArray] = {}

    @property
    def source(self) -> Cloud:
        return self._clouds[self._source_cloud].get()

    @property
    def target(self) -> Cloud:
        return self._clouds[self._target_cloud].get()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for login in self._clouds.values():
            for cloud in login.made:
                cloud.close()
        for array in tuple(self._arrays.values()):  # a read that nobody waits for may be making them
            array.close()

    def _login(self, name: str) -> OpenStackCloud:
        from millpond.providers.openstack import connect  # noqa: PLC0415 (half a second)

        return connect(name, self._access, self.site.limits)

    def array(self, name: str) -> StorageArray:
        with self._lock:
            arrays = self._arrays or self._made_arrays()
        if name not in arrays:
            fix = f"Add it to arrays in millpond.yaml; there are: {', '.join(sorted(arrays)) or 'none'}."
            raise UnknownArray(f"array {name} is not configured", where="millpond.yaml", fix=fix)
        return arrays[name]

    @contextmanager
    def all_told(self) -> Iterator[None]:
        """Where a login fails, the others are tried too: what is wrong with them is told beside the error."""
        try:
            yield
        except NO_LOGIN as error:
            beside: dict[str, MillpondError] = {str(error): error}
            for one in together([partial(_failure, login) for login in self._logins()]):
                if one:
                    beside.setdefault(str(one), one)
            error.also = tuple(one for one in beside.values() if one is not error)
            raise

    def _logins(self) -> list[Callable[[], object]]:
        with self._lock:
            arrays = self._arrays or self._made_arrays()
        return [*(cloud.get for cloud in self._clouds.values()), *(array.log_in for array in arrays.values())]

    def _made_arrays(self) -> Mapping[str, InfiniBoxArray]:
        from millpond.providers.infinibox import InfiniBoxArray  # noqa: PLC0415 (a third of a second)

        directory, limits = Path(self.site.directory), self.site.limits
        for one in self.site.arrays:
            self._arrays[one.name] = InfiniBoxArray(one, self._access, limits, directory, lambda: self._arrays)
        return self._arrays


def _failure(login: Callable[[], object]) -> MillpondError | None:
    try:
        login()
    except MillpondError as error:
        return error
    return None


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
