"""OpenStack clouds through openstacksdk's configuration, authentication and discovery, and raw requests with explicit microversions."""

from millpond.providers.openstack.login import connect

__all__ = ["connect"]
