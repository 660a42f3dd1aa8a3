"""What it costs to move many servers: requests, never times."""

from tests.story.stage import Stage

FAST = {"request_timeout": "1s", "mac_move": "0s", "poll": "50ms"}


def test_a_wave_larger_than_the_limit_of_builds_boots_in_turns(stage: Stage) -> None:
    stage.site_spec = {"limits": {**FAST, "builds": 1}}
    stage.manifest["cutover"] = True
    result = stage.settle()
    assert not result.plan.tenants[0].steps
    assert {row["vm_state"] for row in stage.rows("target/nova/servers")} == {"active"}
