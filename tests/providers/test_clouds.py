"""The ports of a cloud against Queens (source) and Antelope (target)."""

import time
from collections.abc import Callable, Iterator

import pytest

from millpond.errors import NotFound, Refused
from millpond.model.joining import join_servers
from millpond.model.secret import Secret
from millpond.providers.open import SiteProviders
from millpond.providers.openstack import service
from millpond.providers.ports import Cloud
from tests.sandbox.running import Sandbox


@pytest.fixture(autouse=True)
def untouched(sandbox: Sandbox) -> Iterator[None]:
    """The world is put back after each test."""
    world = sandbox.control.snapshot()
    yield
    sandbox.control.restore(world)


def eventually(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 15
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def project_of(cloud: Cloud) -> str:
    [project] = cloud.identity.projects("acme", "Default")
    return project.id


def tenant(cloud: Cloud) -> str:
    """A new project on the cloud, in which the login may create."""
    project = cloud.identity.create_project({"name": "acme", "domain_id": "default"})
    cloud.identity.assign_role(project, cloud.user_id, cloud.identity.roles()["admin"])
    return project


def test_reads_the_tenant_s_servers_whole(providers: SiteProviders) -> None:
    cloud = providers.source
    project = project_of(cloud)
    ports, volumes = cloud.network.ports(project), cloud.block_storage.volumes(project)
    servers = {one.name: one for one in join_servers(cloud.compute.servers(project), ports, volumes, cloud.compute.server_groups(project))}
    assert set(servers) == {"web-1", "web-2", "db-1"}
    database = servers["db-1"]
    assert [one.device for one in database.volumes] == ["/dev/vda", "/dev/vdb"]
    names = {one.id: one.name for one in (*ports, *volumes)}
    assert [names[one.volume_id] for one in database.volumes] == ["db-1-root", "db-1-data"]
    assert [names[id] for id in database.port_ids] == ["db-1-eth0"]
    assert (database.flavor.name, database.flavor.vcpus, database.flavor.ram) == ("m1.volume", 2, 4096)
    assert database.metadata == {"role": "db"}


def test_one_server_by_its_id_is_what_the_list_says_of_it(providers: SiteProviders) -> None:
    compute = providers.source.compute
    listed = compute.servers(project_of(providers.source))[0]
    assert compute.server(listed.id) == listed
    assert compute.server("00000000-0000-0000-0000-000000000000") is None


def test_reads_what_belongs_to_the_tenant(providers: SiteProviders) -> None:
    cloud = providers.source
    project = project_of(cloud)
    networks = {one.name: one for one in cloud.network.networks(project)}
    assert set(networks) == {"app", "public"}
    assert (networks["app"].network_type, networks["app"].segmentation_id, networks["public"].external) == ("vlan", 101, True)
    assert {one.name for one in cloud.network.subnets(project)} == {"app-v4", "public-v4"}
    assert {one.name for one in cloud.network.security_groups(project)} == {"default", "web", "db"}
    [router] = cloud.network.routers(project)
    assert router.gateway_network_id == networks["public"].id
    [floating_ip] = cloud.network.floating_ips(project)
    assert floating_ip.router_id == router.id
    owners = {one.device_owner for one in cloud.network.ports(project)}
    assert {"compute:nova", "network:router_interface", "network:dhcp"} <= owners
    [assignment] = cloud.identity.role_assignments(project)
    assert (assignment.user, assignment.role) == ("alice", "_member_")
    [pair] = cloud.compute.key_pairs({assignment.user_id: "alice"})
    assert (pair.name, pair.user) == ("alice", "alice")
    assert pair.public_key.startswith("ssh-ed25519 ")
    assert cloud.compute.quota(project).used["instances"] == 3
    assert cloud.block_storage.quota(project).used["gigabytes_gold"] == 50
    assert cloud.network.quota(project).used["network"] == 1


def test_lists_are_complete_however_small_the_pages(providers: SiteProviders, monkeypatch: pytest.MonkeyPatch) -> None:
    cloud = providers.source
    project = project_of(cloud)
    lists = (
        lambda: cloud.compute.servers(project),
        lambda: cloud.block_storage.volumes(project),
        lambda: cloud.network.ports(project),
        lambda: cloud.compute.flavors(),
        lambda: cloud.block_storage.volume_types(),
        lambda: cloud.network.agents(),
    )
    whole = [{getattr(one, "id", one) for one in read()} for read in lists]
    monkeypatch.setattr(service.Service.rows, "__kwdefaults__", {**service.Service.rows.__kwdefaults__, "limit": 1})
    assert [{getattr(one, "id", one) for one in read()} for read in lists] == whole


def test_one_request_per_list(sandbox: Sandbox, providers: SiteProviders) -> None:
    cloud = providers.source
    project = project_of(cloud)
    cloud.compute.servers(project)
    cloud.block_storage.volumes(project)
    last = sandbox.control.requests()[-1]["n"]
    cloud.compute.servers(project)
    cloud.block_storage.volumes(project)
    assert len(sandbox.control.requests(last)) == 2


@pytest.mark.parametrize("side", ["source", "target"])
def test_flavors_have_extra_specs_on_every_release(providers: SiteProviders, side: str) -> None:
    compute = getattr(providers, side).compute
    body = {"name": "special", "vcpus": 1, "ram": 512, "disk": 1, "os-flavor-access:is_public": False}
    flavor = compute.create_flavor(body)
    compute.set_flavor_extra_specs(flavor, {"hw:cpu_policy": "shared"})
    compute.add_flavor_access(flavor, getattr(providers, side).project_id)
    [found] = [one for one in compute.flavors() if one.id == flavor]
    assert (found.name, found.is_public, found.extra_specs) == ("special", False, {"hw:cpu_policy": "shared"})
    assert compute.flavor_access(flavor) == (getattr(providers, side).project_id,)


def test_people_and_projects(providers: SiteProviders) -> None:
    identity = providers.target.identity
    project = tenant(providers.target)
    identity.add_project_tag(project, "millpond")
    identity.add_project_tag(project, "millpond:source=123")
    [found] = identity.tagged_projects("millpond")
    assert (found.id, found.tags, found.domain_name) == (project, ("millpond", "millpond:source=123"), "Default")
    identity.remove_project_tag(project, "millpond:source=123")
    assert identity.projects("acme", "Default")[0].tags == ("millpond",)
    body = {"name": "bob", "domain_id": "default", "password": Secret("canary-9"), "email": "bob@example.org", "millpond_source": "u-1"}
    user = identity.create_user(body)
    [bob] = [one for one in identity.users(["default"]) if one.id == user]
    assert (bob.email, bob.source_id, bob.domain_name) == ("bob@example.org", "u-1", "Default")
    role = identity.roles()["member"]
    identity.assign_role(project, user, role)
    assert "bob" in {one.user for one in identity.role_assignments(project)}
    assert identity.projects("acme", "No such domain") == ()


def test_builds_a_server_for_the_tenant(sandbox: Sandbox, providers: SiteProviders) -> None:
    cloud = providers.target
    compute, storage, network = cloud.compute, cloud.block_storage, cloud.network
    project = tenant(cloud)
    volume = storage.create_volume(project, {"name": "root", "size": 1, "volume_type": "gold", "metadata": {"millpond:source": "v-1"}})
    eventually(lambda: storage.volumes(project)[0].status == "available")
    storage.volume_action(project, volume, "os-set_bootable", {"bootable": True})
    storage.volume_action(project, volume, "os-set_image_metadata", {"metadata": {"hw_disk_bus": "virtio"}})
    storage.set_volume_metadata(project, volume, {"millpond.cut": "c1"})
    [root] = storage.volumes(project)
    assert (root.marker, root.bootable, root.image_metadata) == ("v-1", True, {"hw_disk_bus": "virtio"})
    assert root.record is not None
    storage.delete_volume_metadata(project, volume, "millpond.cut")
    assert storage.volumes(project)[0].record is None

    net = network.create("network", {"name": "app", "project_id": project})
    subnet = network.create("subnet", {"network_id": net, "ip_version": 4, "cidr": "10.0.0.0/24", "project_id": project})
    port = network.create(
        "port", {"network_id": net, "fixed_ips": [{"subnet_id": subnet, "ip_address": "10.0.0.5"}], "project_id": project}
    )
    network.set_tags("port", port, ["millpond:source=p-1"])
    group = compute.create_server_group(project, {"name": "db", "policy": "soft-anti-affinity"})
    flavor = next(one.id for one in compute.flavors() if one.name == "v2.medium")
    body = {
        "name": "web-1",
        "flavorRef": flavor,
        "metadata": {"millpond:source": "s-1"},
        "networks": [{"port": port}],
        "block_device_mapping_v2": [
            {"uuid": volume, "source_type": "volume", "destination_type": "volume", "boot_index": 0, "delete_on_termination": False}
        ],
    }
    server = compute.create_server(project, body, {"group": group}, Secret("Y2FuYXJ5LTk="))
    eventually(lambda: compute.servers(project)[0].status == "ACTIVE")
    compute.set_server_metadata(server, {"millpond.cut": "c1", "app": "shop"})
    compute.delete_server_metadata(server, "app")
    compute.rename_server(server, "web-one")
    compute.set_delete_on_termination(server, volume, True)
    compute.server_action(server, "lock")
    found = join_servers(compute.servers(project), network.ports(project), storage.volumes(project), compute.server_groups(project))[0]
    assert (found.name, found.marker, found.metadata, found.locked) == ("web-one", "s-1", {}, True)
    assert found.record is not None
    assert (found.port_ids, found.server_group_id) == ((port,), group)
    assert [(one.volume_id, one.device, one.delete_on_termination) for one in found.volumes] == [(volume, "/dev/vda", True)]
    assert compute.user_data(server) == Secret("Y2FuYXJ5LTk=")
    compute.server_action(server, "unlock")
    compute.server_action(server, "os-stop")
    eventually(lambda: compute.servers(project)[0].stopped)
    compute.delete_server(server)
    eventually(lambda: not compute.servers(project))
    compute.delete_server(server)
    assert compute.server(server) is None


def test_network_objects_come_and_go(providers: SiteProviders) -> None:
    network = providers.target.network
    project = tenant(providers.target)
    net = network.create("network", {"name": "n", "project_id": project})
    network.update("network", net, {"description": "d"})
    network.set_tags("network", net, ["millpond:source=n-1", "own"])
    [found] = [one for one in network.networks(project) if one.id == net]
    assert (found.description, found.marker, found.tags) == ("d", "n-1", ("millpond:source=n-1", "own"))
    subnet = network.create("subnet", {"network_id": net, "ip_version": 4, "cidr": "10.0.0.0/24", "project_id": project})
    port = network.create("port", {"network_id": net, "project_id": project})
    group = network.create("security_group", {"name": "g", "project_id": project})
    rule = {
        "security_group_id": group,
        "direction": "ingress",
        "protocol": "tcp",
        "port_range_min": 1,
        "port_range_max": 2,
        "project_id": project,
    }
    network.delete("security_group_rule", network.create("security_group_rule", rule))
    router = network.create("router", {"name": "r", "project_id": project})
    network.add_router_interface(router, port)
    assert [one.device_id for one in network.ports(project) if one.id == port] == [router]
    network.remove_router_interface(router, port)
    external = next(one for one in network.networks(project) if one.external)
    floating_ip = network.create("floatingip", {"floating_network_id": external.id, "description": "millpond: parked"})
    assert [one.id for one in network.parked_floating_ips()] == [floating_ip]
    for kind, id in (("floatingip", floating_ip), ("router", router), ("security_group", group), ("subnet", subnet), ("network", net)):
        network.delete(kind, id)
    with pytest.raises(NotFound):
        network.delete("network", net)


def test_quotas_are_set(providers: SiteProviders) -> None:
    cloud = providers.target
    project = tenant(cloud)
    cloud.compute.update_quota(project, {"cores": 77})
    cloud.block_storage.update_quota(project, {"gigabytes": 777, "gigabytes_gold": 700})
    cloud.network.update_quota(project, {"port": 7})
    assert cloud.compute.quota(project).limits["cores"] == 77
    storage = cloud.block_storage.quota(project).limits
    assert (storage["gigabytes"], storage["gigabytes_gold"]) == (777, 700)
    assert cloud.network.quota(project).limits["port"] == 7


def test_keys_of_other_people(providers: SiteProviders) -> None:
    compute, user = providers.target.compute, providers.target.user_id
    key = providers.source.compute.key_pairs(
        {providers.source.identity.role_assignments(project_of(providers.source))[0].user_id: "alice"}
    )[0]
    compute.create_key_pair({"name": "a key", "public_key": key.public_key, "type": "ssh", "user_id": user})
    assert [one.name for one in compute.key_pairs({user: "admin"})] == ["a key"]
    compute.delete_key_pair("a key", user)
    assert compute.key_pairs({user: "admin"}) == ()


def test_a_project_without_a_role_is_told(providers: SiteProviders) -> None:
    project = providers.target.identity.create_project({"name": "closed", "domain_id": "default"})
    with pytest.raises(Refused) as caught:
        providers.target.block_storage.create_volume(project, {"size": 1})
    assert caught.value.status == 401
    assert project in caught.value.why
    assert "admin role" in caught.value.fix


def test_a_service_s_own_sentence_is_passed_on(providers: SiteProviders) -> None:
    project = project_of(providers.source)
    port = providers.source.network.ports(project)[0]
    with pytest.raises(Refused) as caught:
        providers.source.network.delete("network", port.network_id)
    assert caught.value.status == 409
    assert "in use" in caught.value.why.lower()


def test_refused_user_data_is_not_quoted(providers: SiteProviders) -> None:
    cloud = providers.target
    with pytest.raises(Refused) as caught:
        cloud.compute.create_server(
            tenant(cloud), {"name": "x", "flavorRef": "1", "networks": "none"}, {}, Secret("canary-9 is no base64!")
        )
    assert "canary-9" not in str(vars(caught.value))


def test_what_an_old_cloud_cannot_do_is_told(providers: SiteProviders) -> None:
    with pytest.raises(Refused, match=r"2\.85 is needed"):
        providers.source.compute.set_delete_on_termination("server", "volume", True)
