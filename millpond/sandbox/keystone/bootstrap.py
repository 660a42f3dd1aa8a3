"""What a fresh cloud has before anyone uses it: the domain Default, the administrator, roles, services, endpoints."""

from typing import TYPE_CHECKING

from millpond.sandbox.keystone.application_credentials import READING, READING_SECRET, reading_rules

if TYPE_CHECKING:
    from millpond.sandbox.keystone.service import KeystoneService

ADMIN_PASSWORD = "admin-secret"
AUDITOR, AUDITOR_PASSWORD = "auditor", "auditor-secret"
"""A role and its user. No release has such a role: this is a cloud whose policies let it read what an administrator reads, and no more."""
REGION = "RegionOne"
QUEENS_ROLES = ("admin", "_member_", "heat_stack_owner", "ResellerAdmin")
ROLES = ("admin", "member", "reader", "service")
CATALOG = (
    ("keystone", "identity", "/identity"),
    ("nova", "compute", "/compute/v2.1"),
    ("neutron", "network", "/network"),
    ("cinderv3", "volumev3", "/volume/v3/$(project_id)s"),
    ("cinder", "block-storage", "/volume/v3/$(project_id)s"),
    ("glance", "image", "/image"),
    ("placement", "placement", "/placement"),
)


def bootstrap(keystone: "KeystoneService") -> None:
    """Does nothing on a cloud that has been bootstrapped before."""
    if len(keystone.domains):
        return
    keystone.domains.insert(
        {"id": "default", "name": "Default", "description": "The default domain", "enabled": True, "tags": [], "options": {}}
    )
    queens = keystone.cloud.release.name == "queens"
    for name in QUEENS_ROLES if queens else ROLES:
        keystone.create_role(name)
    admin = keystone.create_user("admin", password=ADMIN_PASSWORD)
    project = keystone.create_project("admin", description="Bootstrap project for initializing the cloud.")
    keystone.grant("admin", admin["id"], project["id"])
    keystone.assignments.add(keystone.role("admin")["id"], {"user_id": admin["id"]}, {"system": "all"})
    keystone.create_role(AUDITOR)
    keystone.grant(AUDITOR, keystone.create_user(AUDITOR, password=AUDITOR_PASSWORD)["id"], project["id"])
    if keystone.application_credentials.are_known:
        rules = reading_rules([kind for _, kind, _ in CATALOG])
        keystone.application_credentials.create(READING, READING_SECRET, admin["id"], project["id"], rules)
    service = keystone.create_project("service", description="Services")
    for name in ("nova", "neutron", "cinder", "glance", "placement"):
        user = keystone.create_user(name, password=f"{name}-secret")
        keystone.grant("admin", user["id"], service["id"])
    _fill_catalog(keystone)


def _fill_catalog(keystone: "KeystoneService") -> None:
    keystone.create("region", {"id": REGION})
    for name, kind, path in CATALOG:
        service = keystone.create("service", {"name": name, "type": kind})
        for interface in ("public", "internal", "admin"):
            place = {"region_id": REGION, "region": REGION, "url": path}
            keystone.create("endpoint", {"service_id": service["id"], "interface": interface, **place})
