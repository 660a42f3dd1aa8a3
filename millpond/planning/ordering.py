"""All orderings between kinds, in one table. Orderings inside a kind stand in its reconciler.

A rule reads: steps that match `later` come after the steps that match `earlier` and are related by `by`: `tenant` (any),
`wave` (same wave), `server` (share a server; steps that concern no server go by their wave), `source` (same source object).
A pattern is `kind#verb`; the verb of `add_member:1f3c` is `add_member`; `*` matches any.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from millpond.model.change import UNKNOWN, AnyStep, Change, Waiting

PREPARED = (
    "source_project#tag",
    "project#create",
    "project#mark",
    "quota#*",
    "user#*",
    "role_assignment#*",
    "key_pair#create",
    "flavor#*",
    "server_group#*",
    "security_group#*",
    "network#*",
    "subnet#reserve",
    "subnet#create",
    "subnet#mark",
    "subnet#update",
    "subnet#fence",
    "stretch#add",
    "router#create",
    "router#mark",
    "router#update",
    "floating_ip#create",
    "floating_ip#mark",
    "volume#create",
    "volume#bootable",
    "volume#image_metadata",
    "volume#reserve",
    "replication_group#create_group",
    "replication_group#create_remote_group",
    "replication_group#add_member",
    "replication_group#add_remote_member",
    "replication_group#pair",
    "replication_group#seed",
)
"""What a wave must have before it is admitted. Ports are not among them: on OVN they are made inside the cut."""

RELEASED = ("volume#release", "volume#release_detached", "volume#manage", "volume#manage_detached")
"""What lets the tenant at a volume on the target. No boot waits for the detached ones."""

INSIDE = (
    "source_server#record",
    "source_server#lock",
    "source_server#retake_lock",
    "source_server#untime",
    "source_server#stop",
    "source_server#time",
    "source_volume#record",
    "source_volume#record_hold",
    "source_volume#hold",
    "source_volume#time",
    "replication_group#resume_for_sync",
    "replication_group#sync",
    "replication_group#suspend",
    "replication_group#fence",
    "replication_group#promote",
    *RELEASED,
    "volume#blocked",
    "port#create_inside",
    "server#create",
    "key_pair#copy",
)
"""What is done to a wave only once it is admitted, also where its record is not among what is to be done."""

SENT = ("server#create", "server#power_on")

BOOT = ("source_server#boot", *SENT)
"""A boot is declared before it is sent, yet what it comes after may have to be done again in between."""

IN_PROJECT = (
    "quota#*",
    "role_assignment#*",
    "security_group#*",
    "network#*",
    "subnet#*",
    "router#*",
    "port#*",
    "floating_ip#*",
    "server_group#*",
    "volume#*",
    "server#*",
    "flavor#access",
)

OWN_LOGIN = ("server_group#*", "volume#create", "volume#manage", "volume#manage_detached", "server#create")

OWN_KEY = ("key_pair#copy", "key_pair#remove_copy", "key_pair#turn")
"""What brings a server's own key under the name that its boot asks for."""

LIMITED = (
    "security_group#create",
    "network#create",
    "subnet#create",
    "router#create",
    "port#create",
    "floating_ip#create",
    "volume#create",
)


@dataclass(frozen=True)
class Rule:
    later: tuple[str, ...]
    earlier: tuple[str, ...]
    by: str = "tenant"
    begins: bool = False
    """Of what is `later` only what has not begun yet: what is under way is waited for all the same."""
    present: bool = False
    """Of what is `earlier` only what is done to an object that is there, not to one that may still come."""


RULES: tuple[Rule, ...] = (
    # Prepare
    Rule(("user#*", "key_pair#*", "role_assignment#*"), ("project#create",)),
    Rule(IN_PROJECT, ("project#create",)),
    Rule(("role_assignment#assign", "key_pair#create"), ("user#create",)),
    Rule(OWN_LOGIN, ("role_assignment#assign",)),
    Rule((*LIMITED, "server#create"), ("quota#update",)),
    Rule(("port#create", "port#create_inside", "port#update"),
         ("network#create", "network#mark", "subnet#create", "subnet#mark", "security_group#create", "security_group#mark")),
    Rule(("stretch#add",), ("network#create", "network#mark")),
    Rule(("subnet#create",), ("network#create", "network#mark")),
    Rule(("replication_group#create_group", "replication_group#create_remote_group", "replication_group#pair"),
         ("volume#create", "volume#bootable", "volume#image_metadata", "volume#reserve"), "server"),
    # Cut
    Rule(("gate#admission",), PREPARED, "wave"),
    Rule(("gate#admission",), ("port#create", "port#mark", "port#update"), "wave"),
    Rule(INSIDE, ("gate#admission",), "wave"),
    Rule(("source_server#record",), ("key_pair#copy",), "wave"),
    Rule(("source_server#lock", "source_server#stop", "source_volume#time"), ("source_server#record", "source_volume#record"), "wave"),
    Rule(("source_server#stop",), ("gate#cut",), "server", begins=True),
    Rule(("source_volume#record_hold", "source_volume#hold"),
         ("source_server#record", "source_volume#record", "source_server#untime", "source_volume#untime"), "wave"),
    Rule(("source_server#stop", "source_server#time", "source_volume#time"), ("source_volume#hold",), "wave"),
    Rule(("replication_group#sync", "replication_group#suspend", "replication_group#fence", "replication_group#promote"),
         ("source_server#lock", "source_server#retake_lock", "source_server#untime", "source_server#stop", "source_server#time",
          "source_volume#hold", "source_volume#time"), "server"),
    Rule(("source_volume#boot",), ("replication_group#promote", "replication_group#fence"), "server"),
    Rule(RELEASED, ("replication_group#promote", "replication_group#fence", "source_server#boot", "source_volume#boot"), "server"),
    Rule((*BOOT, "source_volume#boot"), ("volume#blocked",), "server"),
    Rule(("server#create",), ("source_server#boot", "server#delete_failed", *OWN_KEY), "server"),
    Rule(BOOT, OWN_KEY, "server"),
    Rule(SENT,
         ("volume#release", "volume#manage", "volume#bootable", "volume#image_metadata", "volume#bootable_inside",
          "volume#image_metadata_inside"), "server"),
    Rule(("port#create_inside", "port#mark_inside", "port#update_inside"), ("source_server#stop",), "server"),
    Rule(BOOT,
         ("port#create", "port#mark", "port#update", "port#create_inside", "port#mark_inside", "port#update_inside"), "server"),
    Rule(BOOT, ("replication_group#promote", "replication_group#fence", "source_server#stop"), "server"),
    Rule(BOOT, ("server#delete_failed", "source_server#count_failure", "volume#take_back_reservation"), "server"),
    Rule(("server#delete_failed",), ("source_server#count_failure",), "server"),
    Rule(("source_server#verify",), ("server#*", "volume#*", "replication_group#promote", "replication_group#fence"), "server"),
    Rule(("source_volume#verify",), ("volume#*", "replication_group#promote", "replication_group#fence"), "server"),
    # Switch
    Rule(("segment#*", "stretch#remove", "subnet#open", "subnet#free"), ("source_server#verify",), "server"),
    Rule(("segment#*",),
         ("network#create", "network#mark", "subnet#create", "subnet#mark", "router#create", "router#mark", "floating_ip#create",
          "floating_ip#mark")),
    Rule(("stretch#remove", "subnet#open", "subnet#free"), ("segment#finish",), "server"),
    # Continue
    Rule(("server#*", "replication_group#*", "volume#*", "source_volume#record_hold", "source_volume#hold", "source_volume#let_go"),
         ("source_server#claim", "source_volume#claim", "source_server#unverify", "source_volume#unverify", "source_server#untime_return",
          "source_volume#untime_return"), "server"),
    # Back
    Rule(("source_server#unverify", "server#lock", "server#stop", "replication_group#reverse_suspend", "replication_group#demote"),
         ("gate#way_back",), "server"),
    Rule(("server#lock", "server#stop"), ("gate#boots",), "server"),
    Rule(("source_server#unverify", "server#lock", "server#stop", "volume#reserve_first", "volume#unmanage_first"),
         ("gate#stops",), "server", begins=True),
    Rule(("server#lock", "server#stop"),
         ("replication_group#safety_snapshot", "replication_group#reverse", "replication_group#reverse_seed",
          "source_server#untime_return"), "server"),
    Rule(("source_server#time_return", "source_volume#time_return"),
         ("gate#way_back", "server#stop", "replication_group#reverse", "volume#reserve_first", "volume#unmanage_first"), "server"),
    Rule(("replication_group#reverse_sync", "replication_group#reverse_suspend", "replication_group#demote", "replication_group#restore"),
         ("server#stop", "server#lock", "source_server#time_return", "source_volume#time_return", "volume#reserve_first",
          "volume#unmanage_first"), "server"),
    Rule(("replication_group#reverse", "replication_group#refence", "replication_group#demote", "replication_group#restore"),
         ("source_server#stop",), "server"),
    Rule(("source_server#unlock",), ("replication_group#demote", "replication_group#restore"), "server"),
    Rule(("volume#reserve", "volume#reserve_first", "volume#unmanage", "volume#unmanage_first"),
         ("source_server#give_back", "source_volume#give_back"), "server"),
    Rule(("source_server#start",), ("replication_group#demote", "replication_group#restore"), "server"),
    Rule(("source_server#start",), ("server#stop",), "server"),
    Rule(("server#delete",), ("source_server#start", "replication_group#restore"), "server"),
    Rule(("server#delete_first",), ("replication_group#restore",), "server"),
    Rule(("source_server#start",), ("server#delete_first", "port#withdraw"), "server"),
    Rule(("volume#reserve", "volume#unmanage", "volume#release_by_server"), ("server#delete", "server#delete_first"), "server",
         present=True),
    Rule(("source_server#forget", "source_volume#forget"),
         ("volume#reserve", "volume#unmanage", "server#delete", "server#delete_first", "port#withdraw", "segment#finish_back"), "server"),
    Rule(("source_server#start",), ("stretch#add", "subnet#fence"), "server"),
    Rule(("segment#*",), ("server#stop",), "server"),
    Rule(("port#withdraw",), ("server#delete_first",), "server"),
    Rule(("source_volume#let_go",), ("replication_group#restore", "replication_group#resume"), "server"),
    Rule(("source_server#forget",), ("source_volume#let_go",), "server"),
    Rule(("source_server#forget", "source_volume#forget"), ("replication_group#restore", "replication_group#resume"), "server"),
    Rule(("replication_group#drop_safety_snapshot",), ("source_server#forget", "source_volume#forget"), "server"),
    # Decommission
    Rule(("replication_group#unpair", "source_server#delete"), ("server#delete_on_termination",)),
    Rule(("source_server#delete", "source_volume#delete", "source_volume#delete_snapshot"),
         ("replication_group#unpair", "replication_group#delete_group", "replication_group#delete_remote_group")),
    Rule(("source_volume#delete", "source_volume#delete_snapshot"), ("source_server#delete",), "server"),
    Rule(("floating_ip#delete", "router#detach", "router#delete", "subnet#delete", "network#delete"), ("segment#*", "stretch#remove")),
    Rule(("router#detach", "router#delete"), ("floating_ip#delete",)),
    Rule(("port#delete",), ("source_server#delete",), "server"),
    Rule(("subnet#delete",), ("port#delete", "router#detach", "router#delete", "subnet#free")),
    Rule(("network#delete",), ("subnet#delete",)),
    Rule(("security_group#delete",), ("port#delete",)),
    Rule(("server_group#delete",), ("source_server#delete",)),
    Rule(("source_project#delete",),
         ("source_server#*", "source_volume#*", "replication_group#*", "server#*", "volume#*", "floating_ip#*", "router#*", "segment#*",
          "port#*", "subnet#*", "stretch#*", "network#*", "security_group#*", "server_group#*", "key_pair#*")),
)  # fmt: skip


class _Index:
    """Step ids by pattern, relation and key."""

    def __init__(self, steps: Iterable[AnyStep]) -> None:
        self.steps: dict[str, list[AnyStep]] = {}
        for step in steps:
            verb = step.action.partition(":")[0]
            self.steps.setdefault(f"{step.kind}#{verb}", []).append(step)
            self.steps.setdefault(f"{step.kind}#*", []).append(step)

    def of(self, patterns: Iterable[str]) -> list[AnyStep]:
        return [step for pattern in patterns for step in self.steps.get(pattern, ())]


def _keys(step: AnyStep, by: str) -> tuple[str, ...]:
    match by:
        case "tenant":
            return ("",)
        case "wave":
            return (step.wave,) if step.wave else ("",)
        case "source":
            return (step.source_id,)
        case _:
            return step.servers or (f"wave:{step.wave}",)


def ordered(steps: tuple[AnyStep, ...], rules: Iterable[Rule] = RULES) -> tuple[AnyStep, ...]:
    """The steps with every cross-kind edge in their `after`. Objects of no wave precede the gates of every wave."""
    index = _Index(steps)
    present = frozenset(step.id for step in steps)
    edges: dict[str, dict[str, None]] = {step.id: dict.fromkeys(id for id in step.after if id in present) for step in steps}
    for rule in rules:
        late = index.of(rule.later)
        if not late:
            continue
        earlier: dict[str, list[str]] = {}
        for step in index.of(rule.earlier):
            if rule.present and isinstance(step, Change) and UNKNOWN in step.parameters.values():
                continue
            for key in _keys(step, rule.by):
                earlier.setdefault(key, []).append(step.id)
        for step in late if earlier else ():
            if rule.begins and isinstance(step, Waiting):
                continue
            for key in (*_keys(step, rule.by), *(("",) if rule.by == "wave" else ())):
                edges[step.id].update(dict.fromkeys(id for id in earlier.get(key, ()) if id != step.id))
    return tuple(after(step, tuple(edges[step.id])) for step in steps)


def after(step: AnyStep, ids: tuple[str, ...]) -> AnyStep:
    """The step itself where it comes after these already: most do, and copies of thousands take time."""
    return step if step.after == ids else replace(step, after=ids)
