"""The mutating calls of a replication group: one each, after what must hold was read again."""

from __future__ import annotations

from millpond.model.change import Change
from millpond.providers.ports import PairRequest, Providers, StorageArray
from millpond.reconcilers import invariants
from millpond.reconcilers.storage import invariants_storage

CONTINUING = ("resume", "resume_for_sync", "resume_for_reverse_sync", "reverse", "suspend", "reverse_sync", "reverse_suspend")
"""What a run does only while the cut is its own, as the records of `recorded` say."""


def perform(change: Change, providers: Providers) -> None:
    array = providers.array(change.parameters["array"])
    verb = change.action.partition(":")[0]
    if verb in ("fence", "promote", "refence"):
        invariants.may_change_hands(change, providers)
    elif verb in ("demote", "restore", "take_back"):
        invariants.may_come_back(change, providers)
    elif verb == "resume" and change.parameters.get("carried"):
        invariants.may_be_overwritten(change, providers)
    elif verb in CONTINUING:
        invariants.group_still_ours(change, providers)
    elif verb == "pair":
        invariants_storage.may_pair(change, providers)
    elif verb == "unpair":
        invariants_storage.may_unpair(change, providers)
    elif verb in ("delete_group", "delete_remote_group"):
        invariants_storage.group_is_ours(change, providers)
    if "replica" in change.parameters:
        _on_replica(verb, array, change.parameters["replica"])
    else:
        _on_volumes(verb, array, change, providers)


def _on_replica(verb: str, array: StorageArray, replica: int) -> None:
    match verb:
        case "sync" | "reverse_sync":
            array.sync(replica)
        case "suspend" | "reverse_suspend":
            array.suspend(replica)
        case "resume" | "reverse" | "resume_for_sync" | "resume_for_reverse_sync":
            array.resume(replica)
        case "fence" | "refence" | "promote" | "demote" | "restore" | "take_back":
            array.change_role(replica)
        case "unpair":
            array.unpair(replica)
        case other:
            raise AssertionError(other)


def _on_volumes(verb: str, array: StorageArray, change: Change, providers: Providers) -> None:
    values = change.parameters
    match verb:
        case "create_group" | "create_remote_group":
            array.create_group(values["name"], values["pool"])
        case "add_member" | "add_remote_member":
            array.add_member(values["group"], values["volume"])
        case "delete_group" | "delete_remote_group":
            array.delete_group(values["group"])
        case "pair":
            array.pair(_request(change, providers))
        case "safety_snapshot":
            array.snapshot(values["volume"], values["name"])
        case "drop_safety_snapshot":
            for volume in array.volumes([values["name"]]):
                array.delete_volume(volume.id)
        case other:
            raise AssertionError(other)


def _request(change: Change, providers: Providers) -> PairRequest:
    values = change.parameters
    replication = providers.site.replication
    return PairRequest(
        members=tuple((local, remote, name) for local, remote, name in values["members"]),
        remote_array=values["remote_array"],
        remote_pool=values["remote_pool"],
        sync_interval=replication.sync_interval,
        rpo=replication.rpo,
        group=values["group"],
        remote_group=values["remote_group"],
    )
