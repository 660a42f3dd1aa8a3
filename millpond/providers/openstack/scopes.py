"""Sessions of one login: one token per project scope, one discovery and one transport for all."""

from __future__ import annotations

import difflib
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import RLock

from keystoneauth1 import exceptions as ksa
from keystoneauth1.adapter import Adapter
from keystoneauth1.identity.base import BaseIdentityPlugin
from keystoneauth1.session import Session
from openstack import exceptions as sdk
from openstack.connection import Connection

from millpond.errors import BadCredentials, MissingCloud, ReadingAccount, Refused, RemoteFailure, Retryable, Unreachable
from millpond.model.site import Limits
from millpond.providers.access import Access
from millpond.providers.failures import FIXES, SERVICE_FIX, chain, of_status
from millpond.providers.openstack.clouds_yaml import cloud_config, cloud_names
from millpond.providers.transport import Transport

ONLY_READING = frozenset({"reader", "member", "auditor", "viewer", "observer", "monitoring"})
"""Words in the names of roles, such as `_member_` and `cloud-auditor`."""
VERSIONS = {
    "identity": ("3", "3.latest"),
    "compute": ("2.1", "2.latest"),
    "block-storage": ("3", "3.latest"),
    "network": (None, None),
    "image": (None, None),
}
FIXED_PATHS = {"network": "/v2.0", "image": "/v2"}
"""Old Neutrons hide their discovery document, and Glance's says nothing that is not known."""

APPLY_AS = "Apply with a user that has the admin role there; this account is good for plan, drift, status and report."

logging.getLogger("keystoneauth").addHandler(logging.NullHandler())  # it warns on stderr of what is told as an error


@dataclass(frozen=True)
class Endpoint:
    """Where a service is, and the newest microversion it speaks (None where it has none)."""

    url: str
    newest: tuple[int, ...] | None


class Scopes:
    """`user_id` and `project_id` are those of the login; `verified`: whether certificates are. Thread-safe.

    Raises MissingCloud, BadCredentials or Unreachable when made: it logs in at once.
    """

    def __init__(self, name: str, access: Access, limits: Limits) -> None:
        self.name = name
        self._transport = Transport(name, access, limits)
        self._lock = RLock()
        self._adapters: dict[tuple[str, str], Adapter] = {}
        self._endpoints: dict[tuple[str, str], Endpoint] = {}
        self._connections: dict[str, Connection] = {}
        self._base = self._sealed(configured(name))
        self.verified = self._base.config.get_requests_verify_args()[0] is not False  # else True, or the CA's file
        expect_password(self._base, name)
        self.user_id, self.project_id = login(self._base.session, name)
        if access is Access.WRITE:
            expect_admin(self._base.session, name)
        self._connections[""] = self._connections[self.project_id] = self._base

    def close(self) -> None:
        self._transport.end()

    def _sealed(self, connection: Connection) -> Connection:
        self._transport.seal(connection.session.session)
        return connection

    def _connection(self, project_id: str) -> Connection:
        if project_id not in self._connections:
            self._connections[project_id] = self._sealed(self._base.connect_as_project({"id": project_id}))
        return self._connections[project_id]

    def adapter(self, service_type: str, project_id: str = "") -> Adapter:
        """Sends requests to the service with a token of the project, the login's own when none is named."""
        with self._lock:
            key = (service_type, project_id)
            if key not in self._adapters:
                adapter = self._unbound(service_type, project_id)
                self._endpoints[key] = self._found(adapter, service_type, project_id)
                adapter.endpoint_override = self._endpoints[key].url
                self._adapters[key] = adapter
            return self._adapters[key]

    def endpoint(self, service_type: str, project_id: str = "") -> Endpoint:
        with self._lock:
            self.adapter(service_type, project_id)
            return self._endpoints[service_type, project_id]

    def _unbound(self, service_type: str, project_id: str) -> Adapter:
        connection = self._connection(project_id)
        region = connection.config
        lowest, highest = VERSIONS[service_type]
        return Adapter(
            session=connection.session,
            service_type=region.get_service_type(service_type),
            service_name=region.get_service_name(service_type),
            interface=region.get_interface(service_type),
            region_name=region.get_region_name(service_type),
            endpoint_override=region.get_endpoint(service_type),
            min_version=lowest,
            max_version=highest,
        )

    def _found(self, adapter: Adapter, service_type: str, project_id: str) -> Endpoint:
        with told(self.name, service_type, project_id):
            if path := FIXED_PATHS.get(service_type):
                url = (adapter.get_endpoint() or "").rstrip("/")
                found = Endpoint(url if not url or url.endswith(path) else f"{url}{path}", None)
            else:
                data = adapter.get_endpoint_data()
                newest = data.max_microversion if data else None
                if data and newest is None and service_type != "identity":
                    self._answers(adapter, data.url or "", service_type)
                found = Endpoint((data.url or "").rstrip("/") if data else "", tuple(map(int, newest)) if newest else None)
        if not found.url:
            why = f"the catalogue of cloud {self.name} has no endpoint for {service_type}"
            raise Refused(why, status=404, where=self.name, fix="Check region_name and interface in clouds.yaml.")
        return found

    def _answers(self, adapter: Adapter, url: str, doing: str) -> None:
        """keystoneauth takes a service that fails for one without microversions: here it is told apart."""
        response = adapter.session.get(url, raise_exc=False, log=False)
        if response.status_code >= 400:
            raise of_status(response.status_code, str(response.reason), f"{self.name}: {doing}", mutating=False)


def configured(name: str) -> Connection:
    """The cloud of clouds.yaml, secure.yaml or the OS_* environment (then called `envvars`); no traffic yet."""
    known = cloud_names()
    try:
        if name in known:
            return Connection(config=cloud_config().get_one(cloud=name))
    except (sdk.SDKException, ksa.ClientException, OSError) as error:
        fix = "Complete this cloud in clouds.yaml, secure.yaml or the OS_* environment."
        raise MissingCloud(name, f"cloud {name}: {error}", where="clouds.yaml", fix=fix) from None
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"Did you mean {near[0]}?" if near else f"Add {name} to clouds.yaml, or set OS_CLIENT_CONFIG_FILE to the file that has it."
    listed = f"there are: {', '.join(known)}" if known else "no cloud is configured at all"
    raise MissingCloud(name, f"cloud {name} is not configured; {listed}", where="clouds.yaml", fix=hint)


def expect_password(connection: Connection, name: str) -> None:
    """keystoneauth raises a bare Exception for a password that is not there (keystoneauth1/identity/generic/password.py)."""
    region = connection.config
    if region.config.get("auth_type", "password") in ("password", "v3password") and region.auth.get("password") is None:
        fix = "Add `password` to its auth in secure.yaml or clouds.yaml, or set OS_CLIENT_SECURE_FILE to the file that has it."
        raise BadCredentials(f"there is no password for cloud {name}", where=name, fix=fix)


def login(session: Session, name: str) -> tuple[str, str]:
    """The ids of user and project."""
    try:
        user_id, project_id = session.get_user_id(), session.get_project_id()
    except ksa.ClientException as error:
        status = getattr(error, "http_status", 0)
        if status in (400, 401, 403):
            why = f"Keystone of cloud {name} refused the login (HTTP {status})"
            raise BadCredentials(why, where=name, fix="Check auth and project of this cloud in clouds.yaml and secure.yaml.") from None
        failing = next((one.http_status for one in chain(error) if isinstance(one, ksa.HttpServerError)), 0)
        if failing:
            why = f"Keystone of cloud {name} answers HTTP {failing}"
            raise Unreachable(why, where=name, fix=SERVICE_FIX) from None
        raise Unreachable(f"Keystone of cloud {name} cannot be used: {error}", where=name, fix="Check auth_url in clouds.yaml.") from None
    except RemoteFailure as error:
        fix = "Check auth_url, the network and cacert in clouds.yaml."
        raise Unreachable(f"Keystone of cloud {name}: {error.why}", where=error.where, fix=fix) from None
    if not user_id or not project_id:
        fix = "Add project_name (or project_id) of an admin project to this cloud in clouds.yaml."
        raise BadCredentials(f"the login of cloud {name} is not scoped to a project", where=name, fix=fix)
    return user_id, project_id


def expect_admin(session: Session, name: str) -> None:
    """ReadingAccount where every role of the login is called like one that only reads, or a tenant's: by default none of them may change
    what belongs to other projects. Nor may an application credential, which gets no token of another project than its own.

    What a role of another name may do is the cloud's own policy, and is told by the first call that it refuses.
    """
    access = session.auth.get_access(session) if isinstance(session.auth, BaseIdentityPlugin) else None
    roles = sorted(access.role_names or ()) if access else []
    if access and getattr(access, "application_credential_id", None):
        why = f"the login of cloud {name} is an application credential, which is of one project alone; nothing was sent"
        raise ReadingAccount(why, where=name, fix=APPLY_AS)
    if access and all(ONLY_READING & set(re.split("[^a-z]+", role.lower())) for role in roles):
        has = f"the role{'s' if len(roles) > 1 else ''} {', '.join(roles)}" if roles else "no role"
        why = f"the login of cloud {name} has {has} in its project; nothing was sent"
        raise ReadingAccount(why, where=name, fix=APPLY_AS)


@contextmanager
def told(cloud: str, doing: str, project_id: str = "") -> Iterator[None]:
    """Turns what keystoneauth raises of logins, catalogue and discovery into the RemoteFailure family."""
    try:
        yield
    except ksa.Unauthorized:
        why = f"Keystone of cloud {cloud} gives no token for {f'project {project_id}' if project_id else 'this login any more'} (HTTP 401)"
        fix = "Give Millpond's user the admin role in that project." if project_id else FIXES[401]
        raise Refused(why, status=401, where=f"{cloud}: {doing}", fix=fix) from None
    except ksa.EndpointNotFound as error:
        raise Refused(str(error), status=404, where=f"{cloud}: {doing}", fix="Check region_name and interface in clouds.yaml.") from None
    except ksa.HttpError as error:
        raise of_status(error.http_status, str(error.message), f"{cloud}: {doing}", mutating=False) from None
    except ksa.ClientException as error:
        raise Retryable(str(error), where=f"{cloud}: {doing}") from None
