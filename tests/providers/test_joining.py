from millpond.model.block_storage import Attachment, Volume
from millpond.model.compute import AttachedVolume, Flavor, Server, ServerGroup
from millpond.model.joining import join_servers
from millpond.model.network import Port

SERVER = Server(
    "s1",
    "web",
    Flavor("m1", 1, 1, 1),
    nic_macs=("fa:16:3e:00:00:02", "fa:16:3e:00:00:01"),
    root_device_name="/dev/vdb",
    volumes=(AttachedVolume("v-late"), AttachedVolume("v-a", delete_on_termination=True), AttachedVolume("v-root")),
)


def port(id: str, mac: str, device: str = "s1") -> Port:
    return Port(id, "", "net", mac, device_id=device)


def volume(id: str, device: str, server: str = "s1") -> Volume:
    return Volume(id, "", 1, "gold", attachments=(Attachment("other", "/dev/vdz"), Attachment(server, device)))


def test_ports_follow_the_order_of_the_nics_and_those_without_address_come_last() -> None:
    ports = [
        port("p9", "fa:16:3e:00:00:09"),
        port("p1", "FA:16:3E:00:00:01"),
        port("p2", "fa:16:3e:00:00:02"),
        port("px", "fa:16:3e:00:00:02", "s2"),
    ]
    [server] = join_servers([SERVER], ports)
    assert server.port_ids == ("p2", "p1", "p9")


def test_the_root_disk_comes_first_then_the_others_by_device() -> None:
    volumes = [volume("v-late", "/dev/vdaa"), volume("v-a", "/dev/vda"), volume("v-root", "/dev/vdb")]
    [server] = join_servers([SERVER], volumes=volumes)
    assert server.volumes == (
        AttachedVolume("v-root", "/dev/vdb"),
        AttachedVolume("v-a", "/dev/vda", True),
        AttachedVolume("v-late", "/dev/vdaa"),
    )


def test_the_group_is_the_one_that_has_the_server_as_member() -> None:
    groups = [ServerGroup("g1", "a", "affinity", members=("s2",)), ServerGroup("g2", "b", "affinity", members=("s1",))]
    assert join_servers([SERVER], server_groups=groups)[0].server_group_id == "g2"


def test_joining_again_changes_nothing() -> None:
    ports, volumes = (
        [port("p1", "fa:16:3e:00:00:01")],
        [volume("v-root", "/dev/vdb"), volume("v-a", "/dev/vda"), volume("v-late", "/dev/vdc")],
    )
    once = join_servers([SERVER], ports, volumes)
    assert join_servers(once, ports, volumes) == once
    assert join_servers(once) == once
