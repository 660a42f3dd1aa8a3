"""Which cloud a name of clouds.yaml stands for."""

from __future__ import annotations

from urllib.parse import urlsplit

from millpond.providers.openstack.scopes import configured


def place_of(cloud: str) -> str:
    """Keystone's URL and the region, without asking it. MissingCloud where the cloud is not configured."""
    region = configured(cloud).config
    url = urlsplit(str(region.auth.get("auth_url", "")))
    host = url.netloc.rpartition("@")[2]
    return f"{url.scheme}://{host}{url.path.rstrip('/')}{' region ' + region.region_name if region.region_name else ''}"
