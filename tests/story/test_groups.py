"""Roles that the tenant's users have through a group."""

import openstack

from tests.story.stage import SOURCE, Stage


def connect(stage: Stage, cloud: str) -> openstack.connection.Connection:
    return openstack.connect(cloud=cloud)


def test_a_group_that_exists_on_the_target_gets_the_role(stage: Stage) -> None:
    source, target = connect(stage, "source-admin"), connect(stage, "target-admin")
    group = source.identity.create_group(name="operators", domain_id="default")
    project = source.identity.find_project(SOURCE["project"])
    source.identity.assign_project_role_to_group(project, group, source.identity.find_role("_member_"))
    stage.discover()
    assert [finding.code for finding in stage.plan().findings if "group" in finding.code] == ["missing_group"]
    there = target.identity.create_group(name="operators", domain_id="default")
    stage.settle()
    given = list(target.identity.role_assignments(group_id=there.id))
    assert len(given) == 1
    with stage.counted() as mutating:
        stage.apply()
    assert mutating == []
