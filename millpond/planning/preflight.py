"""What is refused, and what is missing, before anything of a wave is touched."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import permutations

from millpond.model.address import Address
from millpond.model.array import ArrayPool, ArrayVolume
from millpond.model.block_storage import Volume
from millpond.model.compute import Server
from millpond.model.counting import told_of
from millpond.model.desired import Desired, DesiredWave
from millpond.model.finding import Finding, Severity
from millpond.model.plan import Stage
from millpond.model.snapshot import Snapshot
from millpond.reconcilers.base import Goals
from millpond.reconcilers.mappings import unaccounted, wwpn
from millpond.reconcilers.storage.replication import GIB, adoption_stated, local_volume, pool_pair
from millpond.reconcilers.twins import by_id, twin

MOVABLE = ("ACTIVE", "SHUTOFF")


def findings(desired: Desired, snapshot: Snapshot, goals: Goals) -> Iterator[Finding]:
    servers = {server.id: server for server in desired.inventory.servers}
    volumes = {volume.id: volume for volume in desired.inventory.volumes}
    live = {server.id: server for server in snapshot.source.servers}
    unseen = _unseen_backends(desired, snapshot)
    for wave in desired.waves:
        if goals.stages[wave.name] not in (Stage.REPLICATE, Stage.CUT):
            continue
        for id in wave.servers:
            if id not in goals.verified:
                yield from _server(desired, wave.name, servers[id], live.get(id), volumes)
        for id in wave.volumes:
            yield from _volume(desired, snapshot, wave.name, volumes[id], unseen)
        if wave.name not in goals.admitted:
            yield from _mappings(desired, snapshot, wave, about_to_be_cut=goals.stages[wave.name] is Stage.CUT)
    yield from _clouds(desired, snapshot)
    yield from _arrays(desired, snapshot)
    yield from _capacity(desired, snapshot, goals)
    if not goals.decommission:
        yield from _left_behind(desired, snapshot)


def _left_behind(desired: Desired, snapshot: Snapshot) -> Iterator[Finding]:
    """Snapshots of volumes that move; those of a volume that stays are none of the migration's."""
    moving = {id for wave in desired.waves for id in wave.volumes}
    names = sorted(one.name or one.id for one in snapshot.source.volume_snapshots if one.volume_id in moving)
    if names:
        yield Finding(
            "snapshots_left_behind", Severity.INFO, desired.address("snapshot", ""),
            f"{told_of(len(names), 'snapshot', 'of a volume is', 'of volumes are')} not moved: {', '.join(names)}",
            "snapshots stay on the array they were made on, and go with the source's volumes",
            "make volumes of those that must live on, before `discover`",
        )  # fmt: skip


def _refused(
    desired: Desired, kind: str, id: str, wave: str, code: str, what: str, why: str, fix: str, cause: Address | None = None
) -> Finding:
    return Finding(code, Severity.BLOCKER, desired.address(kind, id), what, why, fix, wave=wave, cause=cause)


def _vtpm(server: Server, volumes: Mapping[str, Volume]) -> bool:
    """By its flavor or by the image that its root disk was made of: Nova takes either (nova/virt/hardware.py, get_vtpm_constraint)."""
    root = volumes.get(server.volumes[0].volume_id) if server.volumes else None
    return any(key.startswith("hw:tpm") for key in server.flavor.extra_specs) or any(
        key.startswith("hw_tpm_") for key in (root.image_metadata if root else ())
    )


def _server(desired: Desired, wave: str, server: Server, live: Server | None, volumes: Mapping[str, Volume]) -> Iterator[Finding]:
    exclude = "or exclude it in the manifest with a reason"
    if server.image_id:
        yield _refused(
            desired, "server", server.id, wave, "image_booted", "the server boots from an image, its root disk is not on the array",
            "only volumes are replicated", f"turn its root disk into a volume, {exclude}",
        )  # fmt: skip
    if _vtpm(server, volumes):
        yield _refused(
            desired, "server", server.id, wave, "vtpm", "the server has a virtual TPM",
            "its state lives on the source's hypervisor and cannot be carried", f"move it by other means, {exclude}",
        )  # fmt: skip
    status = live.status if live else server.status
    under_way = live is not None and live.record is not None
    if status not in MOVABLE and not under_way:
        yield _refused(
            desired, "server", server.id, wave, "server_state", f"the server is {status}",
            "only ACTIVE and SHUTOFF servers can be cut over: memory, rescue disks and pending resizes are not carried",
            f"bring it to ACTIVE or SHUTOFF, {exclude}",
        )  # fmt: skip
    elif live is not None and live.task_state and not under_way:
        yield Finding(
            "server_busy", Severity.WARNING, desired.address("server", server.id), f"the server is busy ({live.task_state})",
            "a wave is admitted only when all its servers are idle", "wait until the task has ended", wave=wave,
        )  # fmt: skip


def _volume(desired: Desired, snapshot: Snapshot, wave: str, volume: Volume, unseen: frozenset[str]) -> Iterator[Finding]:
    exclude = "exclude it (and its server) in the manifest with a reason"
    if volume.encrypted:
        yield _refused(
            desired, "volume", volume.id, wave, "encrypted", "the volume is encrypted by Cinder",
            "its key stays in the source's key manager", f"copy it to an unencrypted volume, or {exclude}",
        )  # fmt: skip
        return
    local = local_volume(desired, snapshot, volume)
    if local is None:
        whole = volume.host if volume.host in unseen else ""
        yield _refused(
            desired, "volume", volume.id, wave, "not_on_array",
            f"no source array has any volume of {whole}" if whole else f"no source array has a volume called {volume.backend_name}",
            "it is a backend of Cinder whose array the site file does not name under pool_pairs" if whole else
            "the volume lives on a backend that the site file does not name, or was renamed on the array",
            f"add its array and pool pair to millpond.yaml, or {exclude}", desired.address("backend", whole) if whole else None,
        )  # fmt: skip
    elif pool_pair(desired, local) is None:
        yield _unpaired(desired, snapshot, wave, volume, local)
    elif adoption_stated(desired, volume, local) != desired.adoption(volume.id):
        yield Finding(
            "size_not_whole_gib", Severity.INFO, desired.address("volume", volume.id),
            f"its size on the array is {local.size} bytes, no whole number of GiB ({local.size / GIB:.3f})",
            "Cinder cannot create a volume of that size ahead", "nothing to do: it is adopted by `manage` after the cut", wave=wave,
        )  # fmt: skip


def _unseen_backends(desired: Desired, snapshot: Snapshot) -> frozenset[str]:
    """Of those that Cinder says hold the tenant's volumes (`host@backend#pool`): none of whose volumes a source array has."""
    seen: dict[str, bool] = {}
    for volume in desired.inventory.volumes:
        seen[volume.host] = seen.get(volume.host, False) or local_volume(desired, snapshot, volume) is not None
    return frozenset(host for host, known in seen.items() if host and not known)


def _unpaired(desired: Desired, snapshot: Snapshot, wave: str, volume: Volume, local: ArrayVolume) -> Finding:
    """A pair whose source pool its array does not have is most likely the one that was meant."""
    here = {pool.name for pool in snapshot.storage.pools if pool.array == local.array}
    slips = [pair for pair in desired.site.pool_pairs if pair.source.array == local.array and here and pair.source.pool not in here]
    led = "".join(f"; pool pair `{pair.name}` leads from pool {pair.source.pool}, which {local.array} does not have" for pair in slips)
    fix = f"correct the source pool of `{slips[0].name}` under pool_pairs in millpond.yaml, or add" if slips else "add"
    return _refused(
        desired, "volume", volume.id, wave, "no_pool_pair", f"no pool pair leads from pool {local.pool} of {local.array}",
        f"it is not known where its volumes shall go{led}", f"{fix} the pair{'' if slips else ' under pool_pairs in millpond.yaml'}",
        desired.address("pool", f"{local.array}:{local.pool}"),
    )  # fmt: skip


def _mappings(desired: Desired, snapshot: Snapshot, wave: DesiredWave, *, about_to_be_cut: bool) -> Iterator[Finding]:
    """What would keep a replica from changing hands is told before a server is stopped, by the rule that is asserted then."""
    volumes, known = by_id(snapshot.source.volumes), by_id(desired.inventory.volumes)
    busy = {server.id for server in snapshot.source.servers if server.task_state}  # one that migrates is mapped to two hosts
    for id in wave.volumes:
        live = volumes.get(id)
        local = local_volume(desired, snapshot, known[id])
        if live is None or local is None or busy & {attached.server_id for attached in live.attachments}:
            continue
        if snapshot.storage.initiators is None and any(map(wwpn, local.mapped_to)):
            continue
        if others := unaccounted(local, live, snapshot.storage.initiators or {}):
            yield Finding(
                "mapped_elsewhere", Severity.BLOCKER if about_to_be_cut else Severity.WARNING, desired.address("volume", id),
                f"{local.array} maps {local.name} to {', '.join(others)}: more than its attachments account for",
                "whoever has that mapping could still write, and the replica would not change hands in the middle of the outage",
                "see what the mapping is for and remove it on the array, if no server uses it", wave=wave.name,
            )  # fmt: skip


def _clouds(desired: Desired, snapshot: Snapshot) -> Iterator[Finding]:
    for cloud in (snapshot.source, snapshot.target):
        if not cloud.verified:
            yield Finding(
                "tls_unverified", Severity.WARNING, desired.address("cloud", cloud.cloud), "its services' certificates are not verified",
                "`verify: false` in clouds.yaml, or `insecure`", "give the cloud's CA as `cacert`",
            )  # fmt: skip


def _arrays(desired: Desired, snapshot: Snapshot) -> Iterator[Finding]:
    serial = {fact.array: fact.serial for fact in snapshot.storage.arrays}
    yield from _links(desired, snapshot)
    for pair in desired.site.pool_pairs:
        source, target = pair.source.array, pair.target.array
        if source == target or (serial.get(source) and serial.get(source) == serial.get(target)):
            yield Finding(
                "same_array", Severity.BLOCKER, desired.address("pool_pair", pair.name),
                "source and target pool are on one array", "an array cannot replicate to itself, and moving pools is not supported yet",
                "name a target pool on another array",
            )  # fmt: skip
    for system in desired.site.arrays:
        if system.tls and not system.verify:
            yield Finding(
                "tls_unverified", Severity.WARNING, desired.address("array", system.name), "its certificate is not verified",
                "`verify: false` in millpond.yaml", "give the array's CA as `ca_file`",
            )  # fmt: skip


def _links(desired: Desired, snapshot: Snapshot) -> Iterator[Finding]:
    """Of the pool pairs that hold a volume of the tenant, as either end sees its link to the other."""
    known = {fact.array: fact for fact in snapshot.storage.arrays}
    found = (local_volume(desired, snapshot, volume) for volume in desired.inventory.volumes)
    pairs = {pair.name: pair for local in found if local and (pair := pool_pair(desired, local))}
    ways = {way for pair in pairs.values() for way in permutations((pair.source.array, pair.target.array))}
    for array, peer in sorted(way for way in ways if way[0] != way[1] and known.keys() >= {*way}):
        link = known[array].links.get(known[peer].serial)
        if link is None:
            yield Finding(
                "no_link", Severity.BLOCKER, desired.address("array", array), f"{array} has no replication link to {peer}",
                "nothing can be synchronised", f"make the link on the arrays, or name a pool of an array that {array} is linked to",
            )  # fmt: skip
        elif not link:
            yield Finding(
                "link_down", Severity.BLOCKER, desired.address("array", array), f"the replication link of {array} to {peer} is down",
                "nothing can be synchronised", "bring the link up on the array",
            )  # fmt: skip


def _capacity(desired: Desired, snapshot: Snapshot, goals: Goals) -> Iterator[Finding]:
    """Whether the target pools can hold what is still to be replicated, and have space at all for what is replicated."""
    needed: dict[tuple[str, str], int] = {}
    written: dict[tuple[str, str], int] = {}
    volumes = by_id(desired.inventory.volumes)
    for wave in (wave for wave in desired.waves if goals.stages[wave.name] in (Stage.REPLICATE, Stage.CUT)):
        for volume in (volumes[id] for id in wave.volumes if id in volumes):
            local = local_volume(desired, snapshot, volume)
            pair = pool_pair(desired, local) if local else None
            if local is None or pair is None or local.rmr_target:
                continue
            key = (pair.target.array, pair.target.pool)
            if not local.rmr_source:
                missing = local.size if twin(snapshot, "volumes", volume.id) is None else local.used
                needed[key] = needed.get(key, 0) + missing
                written[key] = written.get(key, 0) + local.used
            else:
                written.setdefault(key, 0)
    for pool in snapshot.storage.pools:
        key = (pool.array, pool.name)
        need, bytes_written = needed.get(key, 0), written.get(key, 0)
        if need > pool.free_virtual:
            yield _full(desired, pool, f"{pool.free_virtual / GIB:.1f} GiB free, the volumes still to replicate need {need / GIB:.1f} GiB")
        elif key in written and pool.free_physical < max(bytes_written, 1):
            wanted = f", the volumes still to replicate hold {bytes_written / GIB:.1f} GiB" if bytes_written else ""
            yield _full(desired, pool, f"{pool.free_physical / GIB:.1f} GiB of physical space free{wanted}")
    known = {(pool.array, pool.name) for pool in snapshot.storage.pools}
    for array, pool_name in sorted(needed.keys() - known) if snapshot.storage.pools else []:
        yield Finding(
            "missing_pool", Severity.BLOCKER, desired.address("pool", f"{array}:{pool_name}"), f"{array} has no pool {pool_name}",
            "the replicas cannot be created", "create the pool, or correct pool_pairs in millpond.yaml",
        )  # fmt: skip


def _full(desired: Desired, pool: ArrayPool, has: str) -> Finding:
    return Finding(
        "target_pool_full", Severity.BLOCKER, desired.address("pool", f"{pool.array}:{pool.name}"), f"pool {pool.name} has {has}",
        "a replica whose target pool is full is suspended by the array", "enlarge the pool, or move fewer volumes at a time",
    )  # fmt: skip
