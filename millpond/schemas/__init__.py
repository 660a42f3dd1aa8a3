"""The documents that people and discover write, read with file, line and column, and resolved into the desired state."""

from millpond.schemas.carried import carried
from millpond.schemas.convert import from_plain, to_plain
from millpond.schemas.definitions import KINDS, schema_text
from millpond.schemas.first_manifest import initial_manifest
from millpond.schemas.inventory import load_inventory
from millpond.schemas.inventory_text import dump_inventory
from millpond.schemas.manifest import load_manifest
from millpond.schemas.plan_document import check_plan
from millpond.schemas.resolve import resolve
from millpond.schemas.site import load_site
from millpond.schemas.tenants import inventory_path, load_all, load_each, load_tenants, manifest_path, tenant_names

__all__ = [
    "KINDS",
    "carried",
    "check_plan",
    "dump_inventory",
    "from_plain",
    "initial_manifest",
    "inventory_path",
    "load_all",
    "load_each",
    "load_inventory",
    "load_manifest",
    "load_site",
    "load_tenants",
    "manifest_path",
    "resolve",
    "schema_text",
    "tenant_names",
    "to_plain",
]
