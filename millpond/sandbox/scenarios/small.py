"""Three servers on one network: the shortest complete migration."""

from millpond.sandbox.scenarios.tenant import Tenant
from millpond.sandbox.simulation import Simulation


def seed(world: Simulation) -> None:
    for cloud in world.clouds.values():
        admin = cloud.keystone.by_name("project", "admin", "default")
        assert admin is not None
        cloud.glance.create_image(admin["id"], "debian-12", visibility="public", min_disk=2)
    tenant = Tenant(world, description="ACME web shop", tags=["prod"])
    tenant.keypair(tenant.owner, "alice")
    app = tenant.network("app", 101)
    subnet = tenant.subnet(app, "app-v4", "10.10.1.0/24", dns_nameservers=["9.9.9.9"])
    tenant.router("edge", [subnet])
    web = tenant.security_group(
        "web",
        {"protocol": "tcp", "port_range_min": 443, "port_range_max": 443, "remote_ip_prefix": "0.0.0.0/0"},
        {"protocol": "icmp"},
        description="Web servers",
    )
    db = tenant.security_group("db", {"protocol": "tcp", "port_range_min": 5432, "port_range_max": 5432, "remote_group_id": web["id"]})
    for number, name in enumerate(("web-1", "web-2", "db-1"), start=11):
        group = db if name == "db-1" else web
        port = tenant.port(app, {f"10.10.1.{number}": subnet}, f"{name}-eth0", security_groups=[group["id"]])
        volumes = [tenant.volume(f"{name}-root", 10, bootable=True)]
        if name == "db-1":
            volumes.append(tenant.volume("db-1-data", 20))
        tenant.server(name, tenant.flavor("m1.volume"), [port], volumes, key_name="alice", metadata={"role": name[:-2]})
        if name == "web-1":
            tenant.floating_ip(port, description="the shop's front door")
