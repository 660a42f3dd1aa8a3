from math import inf
from typing import Any

import pytest

from millpond.model.array import Pair, ReplicaState, Role
from millpond.model.block_storage import Attachment
from millpond.model.network import AddressPair, AllocationPool, FixedIP, Route
from millpond.providers.infinibox.array import entity_pair
from millpond.providers.infinibox.parse import parse_group, parse_replica, parse_volume
from millpond.providers.openstack import parse_block_storage as cinder
from millpond.providers.openstack import parse_identity as keystone
from millpond.providers.openstack import parse_network as neutron


def test_a_volume_loses_cinder_s_own_metadata_and_millpond_s() -> None:
    volume = cinder.parse_volume(
        {
            "id": "v1",
            "name": None,
            "size": 10,
            "volume_type": None,
            "status": "in-use",
            "bootable": "true",
            "metadata": {"a": "b", "readonly": "False", "attached_mode": "rw", "millpond:source": "old", "millpond.cut": "c1"},
            "attachments": [{"server_id": "s1", "device": "/dev/vda", "attachment_id": "x"}],
            "os-vol-host-attr:host": "h@b#p",
            "os-vol-mig-status-attr:name_id": None,
            "volume_image_metadata": {"hw_disk_bus": "virtio"},
            "group_id": None,
        }
    )
    assert volume.metadata == {"a": "b"}
    assert volume.marker == "old"
    assert volume.record is not None
    assert volume.record.cut == "c1"
    assert volume.attachments == (Attachment("s1", "/dev/vda"),)
    assert (volume.name, volume.volume_type, volume.bootable, volume.host) == ("", "", True, "h@b#p")
    assert volume.backend_name == "openstack-vol-v1"
    assert volume.image_metadata == {"hw_disk_bus": "virtio"}


@pytest.mark.parametrize(("said", "free"), [("infinite", inf), ("unknown", 0.0), (12.5, 12.5), (None, 0.0)])
def test_a_pool_s_free_space(said: object, free: float) -> None:
    row = {"name": "h@b#p", "capabilities": {"volume_backend_name": "b", "free_capacity_gb": said}}
    assert cinder.parse_storage_pool(row).free_gib == free


def test_assignments_of_groups_say_so_and_those_that_only_subprojects_inherit_are_left_out() -> None:
    scope = {"scope": {"project": {"id": "p"}}}
    user = {"user": {"id": "u", "name": "alice", "domain": {"id": "d", "name": "Default"}}, "role": {"id": "r", "name": "member"}}
    found = keystone.parse_role_assignment({**user, **scope})
    assert found is not None
    assert (found.user, found.user_domain, found.role, found.user_id, found.role_id) == ("alice", "Default", "member", "u", "r")
    group = keystone.parse_role_assignment({"group": {"id": "g", "name": "ops"}, "role": user["role"], **scope})
    assert group is not None
    assert (group.user, group.user_id, group.group) == ("ops", "g", True)
    inherited = {"scope": {"project": {"id": "p"}, "OS-INHERIT:inherited_to": "projects"}}
    assert keystone.parse_role_assignment({**user, **inherited}) is None


def test_a_user_s_source_is_an_extra_property() -> None:
    assert keystone.parse_user({"id": "u", "name": "alice", "millpond_source": "old"}, "Default").source_id == "old"


COMMON = {"id": "x", "name": "n", "description": None, "tenant_id": "p", "tags": ["millpond:source=old", "a"]}


def test_null_is_the_empty_value() -> None:
    subnet = neutron.parse_subnet(
        {
            **COMMON,
            "network_id": "net",
            "cidr": "10.0.0.0/24",
            "ip_version": 4,
            "gateway_ip": None,
            "allocation_pools": [{"start": "10.0.0.2", "end": "10.0.0.9"}],
            "host_routes": [{"destination": "0.0.0.0/0", "nexthop": "10.0.0.1"}],
            "ipv6_ra_mode": None,
        }
    )
    assert (subnet.gateway_ip, subnet.description, subnet.ipv6_ra_mode, subnet.project_id) == ("", "", "", "p")
    assert subnet.allocation_pools == (AllocationPool("10.0.0.2", "10.0.0.9"),)
    assert subnet.host_routes == (Route("0.0.0.0/0", "10.0.0.1"),)
    assert (subnet.marker, subnet.tags) == ("old", ("a", "millpond:source=old"))


def test_a_port() -> None:
    port = neutron.parse_port(
        {
            **COMMON,
            "network_id": "net",
            "mac_address": "fa:16:3e:00:00:01",
            "fixed_ips": [{"subnet_id": "s", "ip_address": "10.0.0.5"}],
            "allowed_address_pairs": [{"ip_address": "10.0.0.100", "mac_address": "fa:16:3e:00:00:01"}, {"ip_address": "10.9.0.0/24"}],
            "extra_dhcp_opts": [{"opt_name": "mtu", "opt_value": "1400", "ip_version": 4}],
            "binding:vnic_type": "direct",
            "binding:host_id": "compute-1",
        }
    )
    assert port.fixed_ips == (FixedIP("s", "10.0.0.5"),)
    assert port.allowed_address_pairs == (AddressPair("10.0.0.100", "fa:16:3e:00:00:01"), AddressPair("10.9.0.0/24"))
    assert (port.vnic_type, port.host_id, port.extra_dhcp_opts[0].opt_value) == ("direct", "compute-1", "1400")


def test_routers_with_and_without_gateway() -> None:
    assert neutron.parse_router({**COMMON, "external_gateway_info": None}).gateway_network_id == ""
    gateway = {"network_id": "ext", "enable_snat": False, "external_fixed_ips": [{"subnet_id": "s", "ip_address": "203.0.113.9"}]}
    router = neutron.parse_router({**COMMON, "external_gateway_info": gateway})
    assert (router.gateway_network_id, router.enable_snat, router.external_fixed_ips) == ("ext", False, (FixedIP("s", "203.0.113.9"),))


def test_a_rule_s_missing_ports_stay_missing() -> None:
    row = {
        "id": "r",
        "security_group_id": "g",
        "direction": "ingress",
        "ethertype": "IPv6",
        "protocol": None,
        "port_range_min": None,
        "port_range_max": 0,
    }
    rule = neutron.parse_security_group_rule(row)
    assert (rule.protocol, rule.port_range_min, rule.port_range_max) == ("", None, 0)


REPLICA: dict[str, Any] = {
    "id": 7,
    "remote_replica_id": 9,
    "role": "SOURCE",
    "state": "ACTIVE",
    "entity_type": "CONSISTENCY_GROUP",
    "local_cg_id": 3,
    "local_entity_id": 3,
    "entity_pairs": [{"local_entity_id": 1, "remote_entity_id": 2}],
    "is_initial": True,
    "job_state": "INITIALIZING",
    "jobs": [{"id": "j", "state": None, "start_time": 1000}],
    "pending_job_count": 0,
    "progress": 40,
    "throughput": 5,
    "restore_point": None,
    "sync_interval": 300000,
}


def test_a_running_job_without_a_state_has_the_replica_s() -> None:
    replica = parse_replica("a", REPLICA)
    assert (replica.job_running, replica.job_started, replica.initial, replica.restore_point) == (True, 1000, True, 0)
    assert (replica.grouped, replica.entity, replica.pairs) == (True, 3, (Pair(1, 2),))


def test_a_pending_job_does_not_run() -> None:
    replica = parse_replica("a", {**REPLICA, "job_state": "PENDING", "jobs": [{"id": "j", "state": "PENDING", "start_time": 1000}]})
    assert (replica.job_running, replica.job_started, replica.pending) == (False, 0, True)


@pytest.mark.parametrize(
    ("values", "told"),
    [({"role": "WITNESS"}, "role WITNESS"), ({"state": "SYNC_STALLED"}, "state SYNC_STALLED"), ({"state": "UNKNOWN"}, "state UNKNOWN")],
)
def test_what_newer_firmware_says_is_kept_and_not_guessed(values: dict[str, str], told: str) -> None:
    assert parse_replica("a", {**REPLICA, **values}).unknown == told
    assert parse_replica("a", REPLICA).unknown == ""


def test_a_target_has_no_state() -> None:
    row = {
        **REPLICA,
        "role": "TARGET",
        "state": None,
        "job_state": None,
        "jobs": None,
        "is_initial": False,
        "local_cg_id": None,
        "entity_type": "VOLUME",
    }
    replica = parse_replica("b", row)
    assert (replica.role, replica.state, replica.job_running, replica.grouped) == (Role.TARGET, ReplicaState.NONE, False, False)


def test_a_volume_outside_a_group_has_group_0() -> None:
    row = {
        "id": 1,
        "name": "v",
        "pool_name": "p",
        "size": 10,
        "used": None,
        "write_protected": True,
        "rmr_source": False,
        "rmr_target": True,
        "cg_id": None,
    }
    volume = parse_volume("a", row, ("s",), ("h",))
    assert (volume.cg_id, volume.used, volume.write_protected, volume.rmr_target) == (0, 0, True, True)
    assert (volume.snapshots, volume.mapped_to) == (("s",), ("h",))
    assert parse_group("a", {"id": 3, "name": "g", "pool_name": "p", "is_replicated": True}, (1,)).replicated


def test_a_pair_is_made_onto_an_existing_volume_or_a_named_new_one() -> None:
    assert entity_pair(1, 2, "n") == {"remote_base_action": "NO_BASE_DATA", "local_entity_id": 1, "remote_entity_id": 2}
    assert entity_pair(1, 0, "n") == {
        "remote_base_action": "CREATE",
        "local_entity_id": 1,
        "remote_entity_id": None,
        "remote_entity_name": "n",
    }
