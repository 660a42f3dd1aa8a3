"""A cloud in memory: Keystone, Nova and Cinder over nouns. Neutron is in networking.py. They refuse what the real ones refuse."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from millpond.errors import NotFound
from millpond.model.block_storage import Attachment, StoragePool, Volume, VolumeAttachment, VolumeBackup, VolumeSnapshot, VolumeType
from millpond.model.compute import AttachedVolume, Flavor, Server, ServerGroup
from millpond.model.cut_record import split_metadata
from millpond.model.identity import KeyPair, Project, Quota, RoleAssignment, User
from millpond.model.image import Image
from millpond.model.marker import tag_for
from millpond.model.secret import Secret
from tests.planning.arrays import GIB, refused
from tests.planning.networking import Network

if TYPE_CHECKING:
    from tests.planning.world import World


@dataclass
class Identity:
    cloud: Cloud
    rows: dict[str, Project] = field(default_factory=dict)
    users_: dict[str, User] = field(default_factory=dict)
    assignments: list[RoleAssignment] = field(default_factory=list)

    def projects(self, name: str, domain: str) -> tuple[Project, ...]:
        return tuple(p for p in self.rows.values() if name in (p.name, p.id))

    def tagged_projects(self, tag: str) -> tuple[Project, ...]:
        return tuple(p for p in self.rows.values() if tag in p.tags)

    def domains(self) -> dict[str, str]:
        return {"Default": "default", "customers": "d-customers"}

    def roles(self) -> dict[str, str]:
        return {"admin": "role-admin", "member": "role-member"}

    def role_assignments(self, project_id: str) -> tuple[RoleAssignment, ...]:
        return tuple(self.assignments)

    def users(self, domain_ids: Sequence[str]) -> tuple[User, ...]:
        return tuple(self.users_.values())

    def create_project(self, body: Mapping[str, Any]) -> str:
        id = self.cloud.world.new_id("project")
        self.rows[id] = Project(
            id, body["name"], body["domain_id"], "customers", body["description"], enabled=body["enabled"], tags=tuple(body["tags"])
        )
        self.cloud.network.first_touch(id)
        return id

    def delete_project(self, project_id: str) -> None:
        self.cloud.require_empty()
        del self.rows[project_id]

    def add_project_tag(self, project_id: str, tag: str) -> None:
        known = self.rows[project_id]
        self.rows[project_id] = replace(known, tags=(*known.tags, tag))

    def remove_project_tag(self, project_id: str, tag: str) -> None:
        known = self.rows[project_id]
        self.rows[project_id] = replace(known, tags=tuple(one for one in known.tags if one != tag))

    def create_user(self, body: Mapping[str, Any]) -> str:
        id = self.cloud.world.new_id("user")
        self.users_[id] = User(id, body["name"], "customers", email=body.get("email", ""), source_id=body["millpond_source"])
        return id

    def assign_role(self, project_id: str, user_id: str, role_id: str) -> None:
        name = self.users_[user_id].name if user_id in self.users_ else user_id
        self.assignments.append(RoleAssignment(name, "customers", role_id.removeprefix("role-"), user_id, role_id))


@dataclass
class Compute:
    """`raw`: metadata per server as Nova stores it. `failing`: names of servers whose boot ends in ERROR before launch."""

    cloud: Cloud
    rows: dict[str, Server] = field(default_factory=dict)
    raw: dict[str, dict[str, str]] = field(default_factory=dict)
    secrets: dict[str, Secret] = field(default_factory=dict)
    flavors_: dict[str, Flavor] = field(default_factory=dict)
    groups_: dict[str, ServerGroup] = field(default_factory=dict)
    keys: dict[tuple[str, str], KeyPair] = field(default_factory=dict)
    limits: dict[str, int] = field(default_factory=dict)
    used: dict[str, int] = field(default_factory=dict)
    failing: set[str] = field(default_factory=set)

    def servers(self, project_id: str) -> tuple[Server, ...]:
        return tuple(self.shown(id) for id in self.rows)

    def server(self, server_id: str) -> Server | None:
        return self.shown(server_id) if server_id in self.rows else None

    def shown(self, id: str) -> Server:
        metadata, record, marker = split_metadata(self.raw.get(id, {}))
        return replace(self.rows[id], metadata=metadata, record=record, marker=marker, user_data=self.secrets.get(id))

    def put(self, id: str, **values: Any) -> None:
        """Nova writes down when a task begins and ends."""
        written = {"updated_at": self.cloud.world.stamp()} if "task_state" in values else {}
        self.rows[id] = replace(self.rows[id], **{**written, **values})

    def flavors(self) -> tuple[Flavor, ...]:
        return tuple(self.flavors_.values())

    def flavor_access(self, flavor_id: str) -> tuple[str, ...]:
        return self.flavors_[flavor_id].access

    def server_groups(self, project_id: str) -> tuple[ServerGroup, ...]:
        return tuple(self.groups_.values())

    def key_pairs(self, users: Mapping[str, str]) -> tuple[KeyPair, ...]:
        return tuple(self.keys.values())

    def quota(self, project_id: str) -> Quota:
        return Quota("compute", dict(self.limits), dict(self.used))

    def user_data(self, server_id: str) -> Secret | None:
        return self.secrets.get(server_id)

    def create_server(self, project_id: str, body: Mapping[str, Any], hints: Mapping[str, str], user_data: Secret | None) -> str:
        if body.get("key_name") and (self.cloud.user_id, body["key_name"]) not in self.keys:
            raise refused("invalid key_name", 400)
        id, ports = self.cloud.world.new_id("server"), [self.cloud.network.rows["port"][one["port"]] for one in body["networks"]]
        disks = body["block_device_mapping_v2"]
        if any(port.device_id for port in ports):
            raise refused("port in use")
        for disk in disks:
            self.cloud.block_storage.reserve(disk["uuid"], id)
        flavor = replace(self.flavors_[body["flavorRef"]], id="", is_public=True, access=(), description="")
        self.rows[id] = Server(
            id, body["name"], flavor, body["description"] or "", hostname=body["name"], key_name=body.get("key_name", ""),
            user_id=self.cloud.user_id, config_drive=body["config_drive"], has_user_data=user_data is not None,
            tags=tuple(body["tags"]), nic_macs=tuple(port.mac_address for port in ports), status="BUILD", vm_state="building",
            volumes=tuple(AttachedVolume(disk["uuid"], delete_on_termination=disk["delete_on_termination"]) for disk in disks),
            root_device_name="/dev/vda", created_at=self.cloud.world.stamp(), updated_at=self.cloud.world.stamp(),
        )  # fmt: skip
        self.raw[id] = dict(body["metadata"])
        if user_data:
            self.secrets[id] = user_data
        if hints:
            group = self.groups_[hints["group"]]
            self.groups_[group.id] = replace(group, members=(*group.members, id))
        for port in ports:
            self.cloud.network.bind(port.id, id)
        return id

    def rename_server(self, server_id: str, name: str) -> None:
        self.put(server_id, name=name)

    def delete_server(self, server_id: str) -> None:
        server = self.rows.pop(server_id)
        self.raw.pop(server_id, None)
        for attached in server.volumes:
            self.cloud.block_storage.detach(attached.volume_id, server_id, delete=attached.delete_on_termination)
        self.cloud.network.unbind(server_id)
        for group in list(self.groups_.values()):
            self.groups_[group.id] = replace(group, members=tuple(m for m in group.members if m != server_id))

    def server_action(self, server_id: str, action: str, argument: Any = None, project_id: str = "") -> None:
        server = self.rows[server_id]
        match action:
            case "lock" | "unlock":
                self.put(server_id, locked=action == "lock")
            case "os-stop":
                if server.status not in ("ACTIVE", "ERROR"):
                    raise refused(f"cannot stop while {server.status}")
                self.put(server_id, task_state="powering-off", updated_at=self.cloud.world.stamp())
            case "os-start":
                if server.status != "SHUTOFF":
                    raise refused(f"cannot start while {server.status}")
                self.put(server_id, task_state="powering-on", updated_at=self.cloud.world.stamp())
            case other:
                raise AssertionError(other)

    def set_server_metadata(self, server_id: str, metadata: Mapping[str, str]) -> None:
        self.raw.setdefault(server_id, {}).update(metadata)

    def delete_server_metadata(self, server_id: str, key: str) -> None:
        del self.raw[server_id][key]

    def set_delete_on_termination(self, server_id: str, volume_id: str, value: bool) -> None:
        disks = self.rows[server_id].volumes
        self.put(server_id, volumes=tuple(replace(v, delete_on_termination=value) if v.volume_id == volume_id else v for v in disks))

    def create_flavor(self, body: Mapping[str, Any]) -> str:
        id = self.cloud.world.new_id("flavor")
        self.flavors_[id] = Flavor(
            body["name"], body["vcpus"], body["ram"], body["disk"], body["OS-FLV-EXT-DATA:ephemeral"], body["swap"],
            id=id, is_public=body["os-flavor-access:is_public"], description=body["description"],
        )  # fmt: skip
        return id

    def set_flavor_extra_specs(self, flavor_id: str, specs: Mapping[str, str]) -> None:
        self.flavors_[flavor_id] = replace(self.flavors_[flavor_id], extra_specs={**self.flavors_[flavor_id].extra_specs, **specs})

    def add_flavor_access(self, flavor_id: str, project_id: str) -> None:
        self.flavors_[flavor_id] = replace(self.flavors_[flavor_id], access=(*self.flavors_[flavor_id].access, project_id))

    def create_server_group(self, project_id: str, body: Mapping[str, Any]) -> str:
        id = self.cloud.world.new_id("server_group")
        self.groups_[id] = ServerGroup(id, body["name"], body["policy"], body.get("rules", {}))
        return id

    def delete_server_group(self, group_id: str) -> None:
        del self.groups_[group_id]

    def create_key_pair(self, body: Mapping[str, Any]) -> None:
        self.keys[(body["user_id"], body["name"])] = KeyPair(body["name"], body["user_id"], "", body["public_key"])

    def delete_key_pair(self, name: str, user_id: str) -> None:
        del self.keys[(user_id, name)]

    def update_quota(self, project_id: str, limits: Mapping[str, int]) -> None:
        self.limits.update(limits)

    def work(self) -> None:
        """Whatever Nova has under way ends."""
        for id, server in list(self.rows.items()):
            if server.status == "BUILD":
                self._built(id, failed=server.name in self.failing)
            elif server.task_state in ("powering-off", "powering-on"):
                up = server.task_state == "powering-on"
                power = server.power_state if up else 0
                self.put(id, task_state="", status="ACTIVE" if up else "SHUTOFF", power_state=power, updated_at=self.cloud.world.stamp())

    def _built(self, id: str, *, failed: bool) -> None:
        if failed:
            self.put(id, status="ERROR", vm_state="error", fault="No valid host was found.")
            for attached in self.rows[id].volumes:
                self.cloud.block_storage.free(attached.volume_id)
            return
        for number, attached in enumerate(self.rows[id].volumes):
            self.cloud.block_storage.attach(attached.volume_id, id, f"/dev/vd{'abcdef'[number]}")
        self.cloud.network.up(id)
        self.put(id, status="ACTIVE", vm_state="active", launched_at=self.cloud.world.stamp(), updated_at=self.cloud.world.stamp())


@dataclass
class BlockStorage:
    """Volumes are on the array `array`. `raw`: metadata as Cinder stores it."""

    cloud: Cloud
    array: str
    rows: dict[str, Volume] = field(default_factory=dict)
    raw: dict[str, dict[str, str]] = field(default_factory=dict)
    snapshots_: dict[str, VolumeSnapshot] = field(default_factory=dict)
    backups_: dict[str, VolumeBackup] = field(default_factory=dict)
    limits: dict[str, int] = field(default_factory=dict)
    used: dict[str, int] = field(default_factory=dict)
    initiators_: dict[tuple[str, str], frozenset[str]] = field(default_factory=dict)
    reservations: dict[str, VolumeAttachment] = field(default_factory=dict)

    def initiators(self, project_id: str) -> Mapping[tuple[str, str], frozenset[str]]:
        return self.initiators_

    def volumes(self, project_id: str) -> tuple[Volume, ...]:
        return tuple(self.shown(id) for id in self.rows)

    def shown(self, id: str) -> Volume:
        metadata, record, marker = split_metadata(self.raw.get(id, {}))
        return replace(self.rows[id], metadata=metadata, record=record, marker=marker)

    def put(self, id: str, **values: Any) -> None:
        self.rows[id] = replace(self.rows[id], **values)

    def snapshots(self, project_id: str) -> tuple[VolumeSnapshot, ...]:
        return tuple(self.snapshots_.values())

    def backups(self, project_id: str) -> tuple[VolumeBackup, ...]:
        return tuple(self.backups_.values())

    def volume_types(self) -> tuple[VolumeType, ...]:
        return (VolumeType("type-ssd", "ssd", extra_specs={"volume_backend_name": "infinidat-b"}),)

    def storage_pools(self) -> tuple[StoragePool, ...]:
        return (StoragePool("hostb@infinidat#infinidat-b", "infinidat-b"),)

    def quota(self, project_id: str) -> Quota:
        return Quota("volume", dict(self.limits), dict(self.used))

    def _array(self) -> Any:
        return self.cloud.world.array(self.array)

    def create_volume(self, project_id: str, body: Mapping[str, Any]) -> str:
        id = self.cloud.world.new_id("volume")
        self.rows[id] = Volume(id, body["name"], body["size"], body["volume_type"], "creating", body["description"])
        self.raw[id] = dict(body["metadata"])
        self._array().make(f"openstack-vol-{id}", body["size"] * GIB)
        return id

    def manage_volume(self, project_id: str, body: Mapping[str, Any]) -> str:
        id, number = self.cloud.world.new_id("volume"), int(body["ref"]["source-id"])
        size = -(-self._array().volumes_[number].size // GIB)
        self._array().rename(number, f"openstack-vol-{id}")
        self.rows[id] = Volume(
            id, body["name"], size, body["volume_type"], "creating", body["description"], bootable=body["bootable"], host=body["host"]
        )
        self.raw[id] = dict(body["metadata"])
        return id

    def volume_action(self, project_id: str, volume_id: str, action: str, argument: Any = None) -> None:
        volume = self.rows[volume_id]
        match action:
            case "os-set_bootable":
                self._require(volume, "available")
                self.put(volume_id, bootable=argument["bootable"])
            case "os-set_image_metadata":
                self._require(volume, "available", "in-use")
                self.put(volume_id, image_metadata={**volume.image_metadata, **argument["metadata"]})
            case "os-reset_status":
                if volume.attachments:
                    raise refused("the volume is attached")
                self.put(volume_id, status=argument["status"])
            case "os-unmanage":
                if volume.attachments or volume.status not in ("available", "error"):
                    raise refused("the volume is in use")
                del self.rows[volume_id], self.raw[volume_id]
            case "os-reserve":
                self._require(volume, "available", *(["in-use"] if volume.multiattach else []))
                self.put(volume_id, status="attaching")
            case "os-unreserve":
                if volume.status == "attaching":
                    self.put(volume_id, status="in-use" if volume.attachments else "available")
            case other:
                raise AssertionError(other)

    def _require(self, volume: Volume, *statuses: str) -> None:
        if volume.status not in statuses:
            raise refused(f"volume {volume.id} is {volume.status}", 400)

    def set_volume_metadata(self, project_id: str, volume_id: str, metadata: Mapping[str, str]) -> None:
        self.raw.setdefault(volume_id, {}).update(metadata)

    def delete_volume_metadata(self, project_id: str, volume_id: str, key: str) -> None:
        del self.raw[volume_id][key]

    def delete_volume(self, project_id: str, volume_id: str) -> None:
        if volume_id not in self.rows:
            raise NotFound(f"volume {volume_id} could not be found")
        if self.rows[volume_id].attachments or any(s.volume_id == volume_id for s in self.snapshots_.values()):
            raise refused("the volume is in use")
        self._require(self.rows[volume_id], "available", "error", "maintenance")
        number = self._array().by_name(self.rows[volume_id].backend_name).id
        self._array().delete_volume(number)
        del self.rows[volume_id]

    def delete_snapshot(self, project_id: str, snapshot_id: str) -> None:
        del self.snapshots_[snapshot_id]

    def update_quota(self, project_id: str, limits: Mapping[str, int]) -> None:
        self.limits.update(limits)

    def attachments(self, project_id: str) -> tuple[VolumeAttachment, ...]:
        shown = [
            VolumeAttachment(f"{id}-{one.server_id}", id, one.server_id, "attached")
            for id in self.rows
            for one in self.rows[id].attachments
        ]
        return (*shown, *self.reservations.values())

    def delete_attachment(self, project_id: str, attachment_id: str) -> None:
        gone = self.reservations.pop(attachment_id, None)
        if gone is not None:
            self.put(gone.volume_id, status="in-use" if self.rows[gone.volume_id].attachments else "available")

    def reserve(self, id: str, server: str) -> None:
        self._require(self.rows[id], "available", *(["in-use"] if self.rows[id].multiattach else []))
        self.put(id, status="reserved")
        self.reservations[f"attachment-{id}"] = VolumeAttachment(f"attachment-{id}", id, server, "reserved")

    def free(self, id: str) -> None:
        self.reservations.pop(f"attachment-{id}", None)
        self.put(id, status="in-use" if self.rows[id].attachments else "available")

    def attach(self, id: str, server: str, device: str) -> None:
        self.reservations.pop(f"attachment-{id}", None)
        self.put(id, status="in-use", attachments=(*self.rows[id].attachments, Attachment(server, device)))

    def detach(self, id: str, server: str, *, delete: bool) -> None:
        left = tuple(a for a in self.rows[id].attachments if a.server_id != server)
        self.put(id, attachments=left, status="in-use" if left else "available")
        if delete and not left:
            self.delete_volume("", id)

    def work(self) -> None:
        for id, volume in list(self.rows.items()):
            if volume.status == "creating":
                self.put(id, status="available")


@dataclass
class Images:
    rows: dict[str, Image] = field(default_factory=dict)

    def images(self, project_id: str) -> tuple[Image, ...]:
        return tuple(self.rows.values())


@dataclass
class Cloud:
    name: str
    world: World
    array: str
    user_id: str = "u-login"
    project_id: str = "p-login"

    def __post_init__(self) -> None:
        self.identity = Identity(self)
        self.compute = Compute(self)
        self.block_storage = BlockStorage(self, self.array)
        self.network = Network(self)
        self.image = Images()

    def require_empty(self) -> None:
        own = next(iter(self.identity.rows))
        left = [*self.compute.rows, *self.block_storage.rows, *self.network.owned(own)]
        if left:
            raise refused(f"the project still has {left}")

    def work(self) -> None:
        self.compute.work()
        self.block_storage.work()

    def project_of(self, source_id: str) -> str:
        marked = self.identity.tagged_projects(tag_for(source_id)) or tuple(self.identity.rows.values())
        return marked[0].id if marked else ""
