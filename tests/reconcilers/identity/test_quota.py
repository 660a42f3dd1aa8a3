from dataclasses import replace

from millpond.model.change import UNKNOWN
from millpond.model.identity import Quota
from millpond.reconcilers.identity import quota
from tests.planning.situations import PILOT, done
from tests.planning.tenant import INVENTORY, SITE, desired, prepared, world
from tests.planning.world import flagged
from tests.reconcilers.kinds import change, codes, ids, planned

VOLUME = Quota("volume", {"gigabytes": 5, "volumes_ssd": 1, "snapshots": -1}, {})
TENANT = replace(INVENTORY, quotas=(INVENTORY.quotas[0], VOLUME))


def test_limits_are_the_sources_raised_to_what_is_carried() -> None:
    found = planned(quota, desired(TENANT), world(TENANT))
    assert ids(found) == ["compute#update", "volume#update"]
    assert change(found, "compute#update").parameters == {
        "service": "compute",
        "limits": {"cores": 20, "instances": 10},
        "project_id": UNKNOWN,
    }
    assert change(found, "volume#update").parameters["limits"] == {"gigabytes": 40, "volumes_ssd": 3, "snapshots": -1}


def test_keys_of_a_type_follow_the_map() -> None:
    mapped = replace(desired(TENANT), site=replace(SITE, maps=replace(SITE.maps, volume_types={"ssd": "gold"})))
    assert "volumes_gold" in change(planned(quota, mapped, world(TENANT)), "volume#update").parameters["limits"]


def test_what_the_manifest_states_holds_and_must_be_enough() -> None:
    stated = flagged(desired(TENANT), quotas={"cores": 60, "gigabytes": 10})
    found = planned(quota, stated, world(TENANT))
    assert change(found, "compute#update").parameters["limits"]["cores"] == 60
    assert codes(found) == [("quota_too_small", "")]
    assert "gigabytes" in found.findings[0].what


def test_equal_limits_and_handed_over_tenants_are_left_alone() -> None:
    assert planned(quota, desired(), prepared()).steps == ()
    made = done()
    made.target.compute.limits["cores"] = 1
    assert planned(quota, PILOT, made).steps == ()
