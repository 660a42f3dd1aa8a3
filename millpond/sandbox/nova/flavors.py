"""Flavors: who sees which, their extra specs and access lists."""

import uuid
from typing import TYPE_CHECKING, Any

from millpond.sandbox.core.errors import ApiError
from millpond.sandbox.core.store import Row
from millpond.sandbox.core.web import Caller
from millpond.sandbox.nova import refusals
from millpond.sandbox.nova.boolean import is_true

if TYPE_CHECKING:
    from millpond.sandbox.core.world import Cloud

# nova/api/validation/extra_specs/hw.py of 2023.1: from 2.86 on an unknown `hw:` key is refused.
HW_KEYS = frozenset(
    [
        "hw:boot_menu",
        "hw:cpu_cores",
        "hw:cpu_dedicated_mask",
        "hw:cpu_max_cores",
        "hw:cpu_max_sockets",
        "hw:cpu_max_threads",
        "hw:cpu_policy",
        "hw:cpu_realtime",
        "hw:cpu_realtime_mask",
        "hw:cpu_sockets",
        "hw:cpu_thread_policy",
        "hw:cpu_threads",
        "hw:emulator_threads_policy",
        "hw:hide_hypervisor_id",
        "hw:input_bus",
        "hw:locked_memory",
        "hw:maxphysaddr_bits",
        "hw:maxphysaddr_mode",
        "hw:mem_encryption",
        "hw:mem_page_size",
        "hw:numa_nodes",
        "hw:pci_numa_affinity_policy",
        "hw:pmem",
        "hw:pmu",
        "hw:secure_boot",
        "hw:serial_port_count",
        "hw:tpm_model",
        "hw:tpm_version",
        "hw:vif_multiqueue_enabled",
        "hw:viommu_model",
        "hw:virtio_packed_ring",
        "hw:watchdog_action",
    ]
)
HW_NUMBERED = ("hw:numa_cpus.", "hw:numa_mem.")


class Flavors:
    """Rows are keyed by the flavor's public id and hold `extra_specs` and `access` (project ids)."""

    def __init__(self, cloud: "Cloud") -> None:
        self.table = cloud.table("nova/flavors")

    def create(
        self,
        name: str,
        *,
        ram: int,
        vcpus: int,
        disk: int,
        id: str | None = None,
        ephemeral: int = 0,
        swap: int = 0,
        rxtx_factor: float = 1.0,
        is_public: bool = True,
        description: str | None = None,
        extra_specs: dict[str, str] | None = None,
        access: list[str] | None = None,
    ) -> Row:
        """ApiError 409 when the name or the id is taken. Sizes: MiB of RAM and swap, GiB of disk and ephemeral."""
        if self.table.where(name=name):
            raise refusals.conflict(f"Flavor with name {name} already exists.")
        id = id if id not in (None, "", "auto") else str(uuid.uuid4())
        if id in self.table:
            raise refusals.conflict(f"Flavor with ID {id} already exists.")
        return self.table.insert(
            {
                "id": id,
                "name": name,
                "ram": ram,
                "vcpus": vcpus,
                "disk": disk,
                "ephemeral": ephemeral,
                "swap": swap,
                "rxtx_factor": rxtx_factor,
                "is_public": is_public,
                "description": description,
                "extra_specs": dict(extra_specs or {}),
                "access": list(access or []),
            }
        )

    def require(self, caller: Caller, id: str, status: int = 404) -> Row:
        """The flavor as the caller may see it, else ApiError `status`."""
        flavor = self.table.get(id)
        if flavor is None or not (caller.is_admin or self.is_open_to(flavor, caller.project_id)):
            raise refusals.no_flavor(id, status)
        return flavor

    def is_open_to(self, flavor: Row, project_id: str | None) -> bool:
        return bool(flavor["is_public"]) or project_id in flavor["access"]

    def listed(self, caller: Caller, is_public: str | None) -> list[Row]:
        """`is_public` counts for administrators alone: absent means public, `None` means all."""
        if not caller.is_admin or is_public is None or is_true(is_public):
            chosen = [flavor for flavor in self.table if self.is_open_to(flavor, caller.project_id)]
        elif is_public.lower() == "none":
            chosen = list(self.table)
        else:
            chosen = [flavor for flavor in self.table if not flavor["is_public"]]
        return sorted(chosen, key=lambda flavor: str(flavor["id"]))

    def delete(self, flavor: Row) -> None:
        """Servers keep their embedded copy."""
        self.table.delete(flavor["id"])

    def describe(self, flavor: Row, description: str | None) -> Row:
        return self.table.update(flavor["id"], description=description)

    def set_extra_specs(self, flavor: Row, specs: dict[str, Any], minor: int) -> dict[str, str]:
        """Adds or replaces keys and returns them. ApiError 400 for an unknown `hw:` key from 2.86 on."""
        for key in specs if minor >= 86 else ():
            if key.startswith("hw:") and key not in HW_KEYS and not key.startswith(HW_NUMBERED):
                raise refusals.bad_request(f"Validation failed; extra spec '{key}' does not appear to be a valid extra spec.")
        values = {key: str(value) for key, value in specs.items()}
        self.table.update(flavor["id"], extra_specs={**flavor["extra_specs"], **values})
        return values

    def extra_spec(self, flavor: Row, key: str) -> str:
        if key not in flavor["extra_specs"]:
            raise ApiError(404, f"Flavor {flavor['id']} has no extra specs with key {key}.")
        return str(flavor["extra_specs"][key])

    def remove_extra_spec(self, flavor: Row, key: str) -> None:
        self.extra_spec(flavor, key)
        kept = {name: value for name, value in flavor["extra_specs"].items() if name != key}
        self.table.update(flavor["id"], extra_specs=kept)

    def access(self, flavor: Row) -> list[Row]:
        if flavor["is_public"]:
            raise ApiError(404, "Access list not available for public flavors.")
        return [{"flavor_id": flavor["id"], "tenant_id": project_id} for project_id in flavor["access"]]

    def add_access(self, flavor: Row, project_id: str, minor: int) -> None:
        if flavor["is_public"] and minor >= 7:
            raise refusals.conflict("Can not add access to a public flavor.")
        if project_id in flavor["access"]:
            raise refusals.conflict(f"Flavor access already exists for flavor {flavor['id']} and project {project_id} combination.")
        self.table.update(flavor["id"], access=[*flavor["access"], project_id])

    def remove_access(self, flavor: Row, project_id: str) -> None:
        if project_id not in flavor["access"]:
            raise ApiError(404, f"Flavor access not found for {flavor['id']} / {project_id} combination.")
        self.table.update(flavor["id"], access=[other for other in flavor["access"] if other != project_id])
