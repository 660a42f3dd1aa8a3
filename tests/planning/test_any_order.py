"""What a plan calls ready at one time is performed side by side: no order of it may break a rule or end a run."""

from dataclasses import replace

import pytest

from millpond.model.desired import Desired
from millpond.model.manifest import Rollback
from tests.planning.tenant import INVENTORY, desired, volume, world
from tests.planning.world import World, at, flagged

SPARE = volume("spare-1-", "spare", 5)
TENANT = desired(replace(INVENTORY, volumes=(*INVENTORY.volumes, SPARE)))
CUT = flagged(TENANT, pilot={"cutover": True}, rest={"cutover": True})


def prepared() -> World:
    made = world(TENANT.inventory)
    made.backwards = True
    made.tick()
    made.advance(TENANT)
    made.tick(3600)
    return made


def decided(made: World, how: str) -> Desired:
    """Both waves back, with the word that a wave needs once a boot was tried."""
    waves = {}
    for wave in TENANT.waves:
        records = [record for id in wave.servers if (record := made.source.compute.shown(id).record)]
        tried = next((record.cut for record in records if record.booting), "")
        waves[wave.name] = {"rollback": Rollback(tried, how)} if tried else {}
    return flagged(TENANT, **waves)


@pytest.mark.parametrize("step", ["source_volume/spare#record_hold", "source_volume/spare#hold", "replication_group/rest-ssd#sync",
                                  "replication_group/rest-ssd#promote", "source_server/web-2#boot"])  # fmt: skip
def test_a_cut_that_another_run_goes_on_with_or_takes_back(step: str) -> None:
    made = prepared()
    made.advance(CUT, at(step))
    made.crash()
    assert made.advance(CUT).steps == ()
    made = prepared()
    made.advance(CUT, at(step))
    made.crash()
    made.discard([])
    assert made.advance(decided(made, "carry_back")).steps == ()


@pytest.mark.parametrize("how", ["carry_back", "discard"])
def test_a_way_back_that_another_run_goes_on_with(how: str) -> None:
    made = prepared()
    made.advance(CUT)
    back = decided(made, how)
    if how == "discard":
        made.discard(["server-1", "server-2"])
    made.advance(back, at("server/web-1#stop", "server/web-2#stop"))
    made.crash()
    assert made.advance(back).steps == ()
