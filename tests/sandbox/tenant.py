"""Somebody who is no administrator."""

from openstack.connection import Connection

from tests.sandbox.conftest import connect
from tests.sandbox.running import Sandbox


def new_member(sandbox: Sandbox, target: Connection, name: str = "tenant") -> Connection:
    """A connection of a new user with the role member in a new project of the same name on the target."""
    project = target.identity.create_project(name=name)
    user = target.identity.create_user(name=name, password="secret")
    target.identity.assign_project_role_to_user(project, user, target.identity.find_role("member"))
    return connect(sandbox, "target-admin", username=name, password="secret", project_name=name)
