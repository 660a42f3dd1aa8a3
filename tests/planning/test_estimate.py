"""How long a cutover will stop each server."""

from __future__ import annotations

from millpond.model.address import Address
from millpond.model.change import AnyStep, Change
from millpond.planning.estimate import TYPICAL, estimate
from tests.planning.situations import BACK, BOTH, PILOT, back, before, done, prepared
from tests.planning.world import at


def step(kind: str, name: str, action: str, *after: str, **values: object) -> AnyStep:
    at = Address("acme", kind, name)
    return Change(at, action, after=after, servers=(f"id-{name}",), outage=True, **values)  # type: ignore[arg-type]


def test_the_longest_chain_from_the_stop_to_the_handover_counts() -> None:
    stop, sync, ports, boot = "acme/source_server/a#stop", "acme/replication_group/a#sync", "acme/port/a#create", "acme/server/a#create"
    steps = (
        step("source_server", "a", "record"),
        step("source_server", "a", "stop", "acme/source_server/a#record"),
        step("replication_group", "a", "sync", stop),
        step("port", "a", "create", stop),
        step("server", "a", "create", sync, ports),
        step("source_server", "a", "verify", boot),
    )
    found = estimate(steps)
    wanted = sum(TYPICAL[key] for key in ("source_server#stop", "replication_group#sync", "server#create", "source_server#verify"))
    assert found.servers == (("acme/server/a", wanted),)
    assert found.critical_path == (stop, sync, boot, "acme/source_server/a#verify")
    assert found.longest == wanted


def test_a_cut_and_a_way_back_have_an_outage_and_preparing_has_none() -> None:
    cut = prepared().plan(PILOT).outage
    assert [address for address, _ in cut.servers] == ["acme/server/web-1"]
    assert 30 < cut.longest < 120
    assert cut.critical_path[0] == "acme/source_server/web-1#stop"
    assert cut.critical_path[-1] == "acme/source_server/web-1#verify"
    assert len(prepared().plan(BOTH).outage.servers) == 2
    made = done()
    home = made.plan(back(made, "carry_back")).outage
    assert [address for address, _ in home.servers] == ["acme/server/web-1"]
    assert home.critical_path[0] == "acme/server/web-1#stop"
    assert home.critical_path[-1] == "acme/source_server/web-1#start"
    assert prepared().plan(BACK).outage.servers == ()


def test_what_is_already_stopped_is_not_estimated_again() -> None:
    assert before("replication_group/pilot-ssd#suspend").plan(PILOT).outage.servers == ()


def test_of_a_way_back_that_was_left_in_its_outage_the_rest_is_estimated() -> None:
    made = done()
    on = back(made, "carry_back")
    whole = made.plan(on).outage
    made.advance(on, at("source_server/web-1#start"))
    rest = made.plan(on).outage
    assert [address for address, _ in rest.servers] == ["acme/server/web-1"]
    assert TYPICAL["source_server#start"] <= rest.longest < whole.longest - TYPICAL["server#stop"]
    assert rest.critical_path[-1] == "acme/source_server/web-1#start"
