"""Projects, users, roles and key pairs, with the field names of Keystone and Nova."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Project:
    id: str
    name: str
    domain_id: str
    domain_name: str = ""
    description: str = ""
    enabled: bool = True
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class User:
    """A person or service that has a role in the tenant. Passwords are never read: no API returns them."""

    id: str
    name: str
    domain_name: str
    description: str = ""
    email: str = ""
    enabled: bool = True
    source_id: str = ""


@dataclass(frozen=True)
class Group:
    id: str
    name: str
    domain_name: str


@dataclass(frozen=True)
class RoleAssignment:
    """Where `group` is true, `user`, `user_domain` and `user_id` name a group of users."""

    user: str
    user_domain: str
    role: str
    user_id: str = ""
    role_id: str = ""
    group: bool = False


@dataclass(frozen=True)
class KeyPair:
    name: str
    user_id: str
    user: str
    public_key: str
    fingerprint: str = ""
    type: str = "ssh"


@dataclass(frozen=True)
class Quota:
    """Limits of one service (`compute`, `volume`, `network`) by key; -1 is unlimited."""

    service: str
    limits: dict[str, int]
    used: dict[str, int]
