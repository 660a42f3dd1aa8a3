"""What will not be the same, and why."""

from dataclasses import replace
from pathlib import Path

from millpond.model.block_storage import VolumeSnapshot
from millpond.model.compute import Flavor
from millpond.model.desired import Desired
from millpond.model.manifest import Exclusion, Reference, ServerValues, VolumeValues
from millpond.model.site import Maps
from millpond.model.snapshot import CloudState, Snapshot
from millpond.reporting.differences import Difference, not_the_same, stays_behind
from millpond.schemas import load_all

NORTH = Path(__file__).parents[2] / "examples/north"


def north() -> Desired:
    """The example's tenant, with nothing mapped and nothing said."""
    _, (desired,) = load_all(NORTH)
    manifest = replace(desired.manifest, quotas={}, exclude=(), target=desired.manifest.source)
    return replace(
        desired, site=replace(desired.site, maps=Maps()), manifest=manifest, server_values={}, volume_values={}, excluded=frozenset()
    )


def target(desired: Desired, *more: Flavor) -> Snapshot:
    """It knows the flavors that the servers have."""
    return Snapshot(target=CloudState(flavors=(*more, *(server.flavor for server in desired.inventory.servers))))


def told(desired: Desired, snapshot: Snapshot) -> list[Difference]:
    """Without what holds for every tenant."""
    return [one for one in not_the_same(desired, snapshot) if one.source or one.target]


def test_what_nobody_changes_is_not_told() -> None:
    desired = north()
    assert told(desired, target(desired)) == []


def test_ids_are_new_for_everybody() -> None:
    desired = north()
    assert {one.what for one in not_the_same(desired, target(desired))} >= {"ids of all objects", "system UUID in the guest"}


def test_servers_of_which_the_same_is_to_be_said_are_told_together() -> None:
    desired = north()
    old = desired.inventory.servers[0].flavor
    servers = [server for server in desired.inventory.servers if server.flavor.name == old.name]
    new = replace(old, name="b9.large", vcpus=old.vcpus + 1)
    mapped = replace(desired, site=replace(desired.site, maps=Maps(flavors={old.name: "b9.large"})))
    (found,) = told(mapped, target(desired, new))
    assert (found.what, found.why, found.of) == (
        "flavor",
        "the site file maps it",
        tuple(str(desired.address("server", s.id)) for s in servers),
    )
    assert found.source.startswith(f"{old.name} ({old.vcpus} vCPU")
    assert found.target.startswith(f"b9.large ({old.vcpus + 1} vCPU")


def test_what_the_manifest_says_is_named_as_its_reason() -> None:
    desired = north()
    server, volume = desired.inventory.servers[0], desired.inventory.volumes[0]
    values = ServerValues(Reference(server.name), power="shutoff", availability_zone="az9")
    stated = replace(
        desired,
        server_values={server.id: values},
        volume_values={volume.id: VolumeValues(Reference(volume.name), volume_type="gold9")},
        manifest=replace(desired.manifest, quotas={"cores": 12345}, target=replace(desired.manifest.target, domain="other")),
    )
    found = {one.what: one for one in told(stated, target(desired))}
    assert set(found) == {"domain", "availability zone", "power", "volume type", "quota of cores"}
    assert {one.why for one in found.values()} == {"the manifest says so"}
    assert (found["power"].source, found["power"].target) == (server.power, "shutoff")
    assert found["volume type"].of == (str(desired.address("volume", volume.id)),)


def test_what_is_excluded_does_not_differ_but_stays() -> None:
    desired = north()
    server = desired.inventory.servers[0]
    left = replace(
        desired,
        excluded=frozenset({server.id}),
        manifest=replace(desired.manifest, exclude=(Exclusion("rebuilt by its owner", server=server.name),)),
        server_values={server.id: ServerValues(Reference(server.name), power="shutoff")},
        inventory=replace(desired.inventory, snapshots=(VolumeSnapshot("s-1", "nightly", "v-1"),)),
    )
    assert told(left, target(desired)) == []
    assert stays_behind(left) == (
        (f"acme/server/{server.name}", "rebuilt by its owner"),
        ("acme/snapshot/nightly", "snapshots stay on the array they were made on"),
    )
