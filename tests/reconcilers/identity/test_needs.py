from dataclasses import replace

from millpond.model.compute import Flavor
from millpond.model.desired import DesiredWave
from millpond.model.manifest import Reference, ServerValues
from millpond.reconcilers.identity.needs import needs
from tests.planning.tenant import INVENTORY, SITE, desired, prepared, world


def test_what_is_carried_is_counted_once() -> None:
    found = needs(desired(), world().snapshot())
    assert dict(found) == {
        "instances": 2,
        "cores": 2,
        "ram": 4096,
        "volumes": 3,
        "gigabytes": 40,
        "volumes_ssd": 3,
        "gigabytes_ssd": 40,
        "network": 1,
        "subnet": 1,
        "port": 3,
        "router": 1,
        "floatingip": 1,
    }


def test_it_is_the_same_when_all_of_it_is_there() -> None:
    assert needs(desired(), prepared().snapshot()) == needs(desired(), world().snapshot())


def test_a_flavor_that_the_manifest_chooses_counts_as_what_it_is() -> None:
    chosen = replace(desired(), server_values={"server-1": ServerValues(Reference("web-1"), flavor="m1.large")})
    made = world()
    made.target.compute.flavors_["f-large"] = Flavor("m1.large", 8, 16384, 0, id="f-large")
    found = needs(chosen, made.snapshot())
    assert (found["instances"], found["cores"], found["ram"]) == (2, 9, 16384 + 2048)


def test_types_count_under_the_targets_names() -> None:
    mapped = replace(desired(), site=replace(SITE, maps=replace(SITE.maps, volume_types={"ssd": "gold"})))
    found = needs(mapped, world().snapshot())
    assert (found["volumes_gold"], found["gigabytes_gold"], found["volumes_ssd"]) == (3, 40, 0)


def test_what_is_excluded_takes_nothing() -> None:
    first = DesiredWave("pilot", ("server-1",), ("root-1", "data-1"), cutover=False)
    without = replace(desired(), waves=(first,), excluded=frozenset({"server-2", "root-2"}))
    found = needs(without, world().snapshot())
    assert (found["instances"], found["volumes"], found["gigabytes"], found["port"]) == (1, 2, 30, 2)
    nowhere = replace(desired(), excluded=frozenset({"n-app"}))
    found = needs(nowhere, world().snapshot())
    assert (found["network"], found["subnet"]) == (0, 0)


def test_another_tenants_network_is_not_ours_to_pay_for() -> None:
    shared = replace(INVENTORY.networks[0], id="n-shared", shared=True, project_id="p-admin")
    more = replace(INVENTORY, networks=(*INVENTORY.networks, shared))
    assert needs(desired(more), world(more).snapshot())["network"] == 1
