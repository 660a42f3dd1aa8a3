"""Millpond moves OpenStack tenants from an old cloud to a new one, side by side, without ripples."""

from importlib.metadata import version

__version__ = version("millpond")
