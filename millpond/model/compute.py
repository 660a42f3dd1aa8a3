"""Servers and what belongs to them, with Nova's field names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from millpond.model.cut_record import CutRecord
from millpond.model.secret import Secret


@dataclass(frozen=True)
class Flavor:
    """`id` is empty in what a server embeds (microversion 2.47 on): that copy is the truth, the flavor may be gone."""

    name: str
    vcpus: int
    ram: int
    disk: int
    ephemeral: int = 0
    swap: int = 0
    extra_specs: Mapping[str, str] = field(default_factory=dict)
    id: str = ""
    is_public: bool = True
    description: str = ""
    access: tuple[str, ...] = ()

    def spec(self) -> tuple[object, ...]:
        """What makes two flavors the same to a guest."""
        return (self.vcpus, self.ram, self.disk, self.ephemeral, self.swap, tuple(sorted(self.extra_specs.items())))


@dataclass(frozen=True)
class ServerGroup:
    id: str
    name: str
    policy: str
    rules: Mapping[str, int] = field(default_factory=dict)
    members: tuple[str, ...] = ()


@dataclass(frozen=True)
class AttachedVolume:
    """One disk of a server, in the order of `Server.volumes`: the root disk first, then by device name."""

    volume_id: str
    device: str = ""
    delete_on_termination: bool = False


AT_REST = (0, 4, 6)
"""NOSTATE, SHUTDOWN and CRASHED of nova/compute/power_state.py: in any other the guest holds its disks."""
OFF = ("ERROR", "SHELVED", "SHELVED_OFFLOADED")
"""Beside SHUTOFF: of these the power state tells whether a guest is up."""


@dataclass(frozen=True)
class Server:
    """A server as one cloud shows it. `metadata` is the tenant's: Millpond's own keys are parsed into `record` and `marker`.

    `port_ids` are in NIC order; Nova tells the MACs alone (`nic_macs`), `joining.join_servers` finds the ports.
    `user_data` is known only where it was observed with admin rights; an inventory has `has_user_data` alone.
    """

    id: str
    name: str
    flavor: Flavor
    description: str = ""
    hostname: str = ""
    key_name: str = ""
    user_id: str = ""
    image_id: str = ""
    config_drive: bool = False
    has_user_data: bool = False
    user_data: Secret | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    server_group_id: str = ""
    availability_zone: str = ""
    locked: bool = False
    nic_macs: tuple[str, ...] = ()
    root_device_name: str = ""
    port_ids: tuple[str, ...] = ()
    volumes: tuple[AttachedVolume, ...] = ()
    status: str = "ACTIVE"
    vm_state: str = "active"
    task_state: str = ""
    power_state: int = 0
    launched_at: str = ""
    updated_at: str = ""
    created_at: str = ""
    fault: str = ""
    marker: str = ""
    record: CutRecord | None = None

    @property
    def idle(self) -> bool:
        return not self.task_state

    @property
    def guest_runs(self) -> bool:
        """Its hypervisor has it up although Nova calls it SHUTOFF: somebody started it there. Nova stops it some minutes later, and until
        then tells it by the power state alone (nova/compute/manager.py, _sync_instance_power_state)."""
        return self.status == "SHUTOFF" and self.power_state not in AT_REST

    @property
    def never_ran(self) -> bool:
        """Its boot failed before launch, and its hypervisor has nothing of it up."""
        return self.status == "ERROR" and not self.launched_at and self.power_state in AT_REST

    @property
    def runs_unlaunched(self) -> bool:
        """Its hypervisor has it up although Nova says that its boot failed before launch: nova-compute was restarted between the guest's
        start and the writing of its launch (nova/compute/manager.py, _init_instance). Nova's API stops none that was never launched."""
        return self.status == "ERROR" and not self.launched_at and self.power_state not in AT_REST

    @property
    def stopped(self) -> bool:
        return self.status == "SHUTOFF" and self.idle and not self.guest_runs

    @property
    def at_rest(self) -> bool:
        """No guest of it is up, and none sleeps with a memory that would be older than its disks once they have changed. A shelved one of
        which the disks are volumes is off (nova/compute/api.py, shelve)."""
        return self.stopped or (self.status in OFF and self.idle and self.power_state in AT_REST)

    @property
    def power(self) -> str:
        return "shutoff" if self.status == "SHUTOFF" else "active"
