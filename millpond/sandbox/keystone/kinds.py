"""What the plain Keystone collections have in common, and where they differ."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from millpond.sandbox.core.store import Row


@dataclass(frozen=True)
class Kind:
    """One collection: its words, the fields that are always there, and what must be unique together."""

    name: str
    plural: str
    defaults: dict[str, Callable[[], Any]] = field(default_factory=dict)
    required: tuple[str, ...] = ("name",)
    unique: tuple[str, ...] = ("name",)
    filters: tuple[str, ...] = ("name",)
    hidden: tuple[str, ...] = ()
    fixed: tuple[str, ...] = ("id",)
    name_max: int = 255
    takes_id: bool = False
    """The caller may choose the id; everywhere else Keystone makes one."""

    def shown(self, row: Row) -> Row:
        return {key: value for key, value in row.items() if key not in self.hidden}


def nothing() -> None:
    return None


def yes() -> bool:
    return True


def no() -> bool:
    return False


KINDS = (
    Kind(
        "domain",
        "domains",
        {"enabled": yes, "description": str, "tags": list, "options": dict},
        filters=("name", "enabled"),
        name_max=64,
    ),
    Kind(
        "project",
        "projects",
        {"enabled": yes, "description": str, "is_domain": no, "parent_id": nothing, "tags": list, "options": dict},
        unique=("name", "domain_id"),
        filters=("name", "domain_id", "enabled", "parent_id", "is_domain"),
        fixed=("id", "domain_id", "parent_id", "is_domain"),
        name_max=64,
    ),
    Kind(
        "user",
        "users",
        {"enabled": yes, "password_expires_at": nothing, "options": dict},
        unique=("name", "domain_id"),
        filters=("name", "domain_id", "enabled"),
        hidden=("password",),
        fixed=("id", "domain_id"),
    ),
    Kind(
        "group",
        "groups",
        {"description": str},
        hidden=("members",),
        unique=("name", "domain_id"),
        filters=("name", "domain_id"),
        fixed=("id", "domain_id"),
        name_max=64,
    ),
    Kind(
        "role",
        "roles",
        {"domain_id": nothing, "description": nothing, "options": dict},
        unique=("name", "domain_id"),
        filters=("name", "domain_id"),
    ),
    Kind("service", "services", {"enabled": yes, "description": str}, required=("type",), unique=(), filters=("name", "type")),
    Kind(
        "endpoint",
        "endpoints",
        {"enabled": yes},
        required=("service_id", "interface", "url"),
        unique=(),
        filters=("service_id", "interface", "region_id"),
    ),
    Kind(
        "region",
        "regions",
        {"description": str, "parent_region_id": nothing},
        required=(),
        unique=(),
        filters=("parent_region_id",),
        takes_id=True,
    ),
    Kind(
        "credential", "credentials", {"project_id": nothing}, required=("blob", "type", "user_id"), unique=(), filters=("user_id", "type")
    ),
)
BY_NAME = {kind.name: kind for kind in KINDS}
