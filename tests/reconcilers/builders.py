"""A small tenant as nouns: one VLAN network with a router, two servers in two waves, and what a snapshot of it shows."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, cast

from millpond.model.address import unique_names
from millpond.model.change import AnyStep, Change
from millpond.model.compute import Flavor, Server
from millpond.model.desired import Desired, DesiredWave
from millpond.model.identity import Project
from millpond.model.inventory import Inventory
from millpond.model.manifest import Manifest, ProjectRef
from millpond.model.marker import tag_for
from millpond.model.network import (
    Agent,
    AllocationPool,
    FixedIP,
    FloatingIP,
    Network,
    Port,
    Route,
    Router,
    SecurityGroup,
    SecurityGroupRule,
    Subnet,
)
from millpond.model.plan import Stage
from millpond.model.site import Fabric, Maps, Site
from millpond.model.snapshot import CloudState, FabricState, Snapshot
from millpond.providers.ports import Providers
from millpond.reconcilers.base import Goals, KindPlan
from millpond.reconcilers.fabric.provider_vlan import ProviderVlan

HERE, THERE = "p-source", "p-target"
EXTENSIONS = frozenset({"stateful-security-group", "dns-integration"})

EXTERNAL = Network("n-ext", "public", external=True, project_id="p-admin", network_type="flat")
EXTERNAL_SUBNET = Subnet("s-ext", "public-v4", "n-ext", "203.0.113.0/24", project_id="p-admin")
NETWORK = Network(
    "n-app", "app", mtu=1500, network_type="vlan", physical_network="physnet1", segmentation_id=101, project_id=HERE, tags=("prod",)
)
SUBNET = Subnet(
    "s-app",
    "app-v4",
    "n-app",
    "10.0.0.0/24",
    gateway_ip="10.0.0.1",
    allocation_pools=(AllocationPool("10.0.0.2", "10.0.0.254"),),
    dns_nameservers=("9.9.9.9",),
    project_id=HERE,
)
ROUTER = Router(
    "r-edge",
    "edge",
    gateway_network_id="n-ext",
    external_fixed_ips=(FixedIP("s-ext", "203.0.113.10"),),
    routes=(Route("192.168.0.0/16", "10.0.0.11"),),
    project_id=HERE,
)
LEG = Port(
    "i-app",
    "",
    "n-app",
    "fa:16:3e:00:00:01",
    (FixedIP("s-app", "10.0.0.1"),),
    device_id="r-edge",
    device_owner="network:router_interface",
    project_id=HERE,
)
OUT = SecurityGroupRule("rule-out", "g-default", "egress")
DEFAULT = SecurityGroup(
    "g-default",
    "default",
    "Default security group",
    rules=(OUT, SecurityGroupRule("rule-in", "g-default", "ingress", remote_group_id="g-default")),
    project_id=HERE,
)
WEB = SecurityGroup(
    "g-web",
    "web",
    rules=(
        SecurityGroupRule(
            "rule-1", "g-web", "ingress", protocol="tcp", port_range_min=443, port_range_max=443, remote_ip_prefix="0.0.0.0/0"
        ),
        SecurityGroupRule("rule-2", "g-web", "ingress", protocol="tcp", port_range_min=80, port_range_max=80, remote_group_id="g-default"),
    ),
    project_id=HERE,
)


def nic(number: int, **values: Any) -> Port:
    port = Port(
        f"port-{number}",
        f"eth0-{number}",
        "n-app",
        f"fa:16:3e:00:01:{number:02x}",
        (FixedIP("s-app", f"10.0.0.{10 + number}"),),
        security_groups=("g-web",),
        device_id=f"server-{number}",
        device_owner="compute:nova",
        host_id="compute-1",
        status="ACTIVE",
        project_id=HERE,
    )
    return replace(port, **values)


def server(number: int, **values: Any) -> Server:
    flavor = Flavor("m1.small", 1, 2048, 20)
    return replace(Server(f"server-{number}", f"web-{number}", flavor, port_ids=(f"port-{number}",)), **values)


ADDRESS = FloatingIP(
    "f-1",
    "203.0.113.20",
    "n-ext",
    port_id="port-1",
    fixed_ip_address="10.0.0.11",
    description="front door",
    router_id="r-edge",
    project_id=HERE,
)
INVENTORY = Inventory(
    "acme",
    "2026-01-01T00:00:00Z",
    Project(HERE, "acme", "d-source"),
    security_groups=(DEFAULT, WEB),
    networks=(NETWORK, EXTERNAL),
    subnets=(SUBNET, EXTERNAL_SUBNET),
    routers=(ROUTER,),
    router_ports=(LEG,),
    floating_ips=(ADDRESS,),
    ports=(nic(1), nic(2)),
    servers=(server(1), server(2)),
)
PILOT, REST = "pilot", "rest"
ALL = frozenset({"server-1", "server-2"})


def desired(inventory: Inventory = INVENTORY, *, excluded: Iterable[str] = (), fabric: Fabric | None = None, **manifest: Any) -> Desired:
    """`server-1` is wave `pilot`; every other server that is not excluded is wave `rest`."""
    away = frozenset(excluded)
    moving = [one.id for one in inventory.servers if one.id not in away]
    waves = (
        DesiredWave(PILOT, tuple(id for id in moving if id == "server-1"), (), cutover=False),
        DesiredWave(REST, tuple(id for id in moving if id != "server-1"), (), cutover=False),
    )
    kinds = ("networks", "subnets", "routers", "ports", "router_ports", "security_groups", "servers")
    names = {id: name for kind in kinds for id, name in unique_names([(o.id, o.name) for o in getattr(inventory, kind)]).items()}
    names |= {one.id: one.floating_ip_address for one in inventory.floating_ips}
    site = Site("test", fabric=fabric or Fabric("provider-vlan", {"physnet1": "datacentre"}), maps=Maps(networks={"public": "internet"}))
    ref = ProjectRef("cloud", "Default", "acme")
    return Desired(site, Manifest("acme", ref, ref, **manifest), inventory, waves, names, excluded=away)


def goals(pilot: Stage = Stage.REPLICATE, rest: Stage = Stage.REPLICATE, verified: Iterable[str] = (), **values: Any) -> Goals:
    return Goals({PILOT: pilot, REST: rest}, {"server-1": PILOT, "server-2": REST}, frozenset(verified), **values)


HANDED_OVER = goals(Stage.HANDED_OVER, Stage.HANDED_OVER, ALL)
CUTTING = goals(Stage.CUT, Stage.CUT)


def source(inventory: Inventory = INVENTORY, **values: Any) -> CloudState:
    """The source as the inventory has it, with `values` in place of whole collections."""
    state = CloudState(
        "source",
        projects=(inventory.project,),
        security_groups=inventory.security_groups,
        networks=inventory.networks,
        subnets=inventory.subnets,
        ports=(*inventory.ports, *inventory.router_ports),
        routers=inventory.routers,
        floating_ips=inventory.floating_ips,
        servers=inventory.servers,
    )
    return replace(state, **values)


INTERNET = replace(EXTERNAL, id="t-ext", name="internet", project_id="t-admin")
INTERNET_SUBNET = replace(EXTERNAL_SUBNET, id="t-s-ext", network_id="t-ext")
NO_TENANT = CloudState("target", networks=(INTERNET,), subnets=(INTERNET_SUBNET,), extensions=EXTENSIONS)
EMPTY = replace(NO_TENANT, projects=(Project(THERE, "acme", "d-target"),))


def twin_of(item: Any, **values: Any) -> Any:
    """The target's object for a source object, marked: its id is the source's with `t-` before it."""
    tags = tuple(sorted((*item.tags, tag_for(item.id))))
    return replace(item, **{"id": f"t-{item.id}", "project_id": THERE, "tags": tags, "marker": item.id, **values})


T_NETWORK = twin_of(NETWORK, physical_network="datacentre")
T_SUBNET = twin_of(SUBNET, network_id="t-n-app", allocation_pools=(AllocationPool("10.0.0.251", "10.0.0.254"),))
T_ROUTER = twin_of(ROUTER, gateway_network_id="", external_fixed_ips=(), routes=())
T_ADDRESS = twin_of(ADDRESS, floating_network_id="t-ext", port_id="", fixed_ip_address="", router_id="")
T_LEG = twin_of(
    LEG, network_id="t-n-app", fixed_ips=(FixedIP("t-s-app", "10.0.0.1"),), device_id="t-r-edge", device_owner="network:router_interface"
)
T_WAITING_LEG = replace(T_LEG, device_id="", device_owner="")
T_DEFAULT = twin_of(
    DEFAULT, rules=tuple(replace(r, id=f"t-{r.id}", remote_group_id=r.remote_group_id and "t-g-default") for r in DEFAULT.rules)
)
T_WEB = twin_of(WEB, rules=tuple(replace(r, id=f"t-{r.id}", remote_group_id=r.remote_group_id and "t-g-default") for r in WEB.rules))


def t_nic(number: int, **values: Any) -> Port:
    """Unbound, as it waits for its server."""
    port = nic(number, fixed_ips=(FixedIP("t-s-app", f"10.0.0.{10 + number}"),), security_groups=("t-g-web",), network_id="t-n-app")
    unbound: dict[str, Any] = {"device_id": "", "device_owner": "", "host_id": "", "status": "DOWN"}
    twin: Port = twin_of(port, **{**unbound, **values})
    return twin


PREPARED = replace(
    EMPTY,
    networks=(T_NETWORK, INTERNET),
    subnets=(T_SUBNET, INTERNET_SUBNET),
    routers=(T_ROUTER,),
    floating_ips=(T_ADDRESS,),
    security_groups=(T_DEFAULT, T_WEB),
    ports=(t_nic(1), t_nic(2)),
    agents=(Agent("Open vSwitch agent", "compute-1"),),
)
FENCE = tuple(
    Port(
        f"fence-{last}",
        "millpond-fence",
        "n-app",
        f"fa:16:3e:ff:00:{last:02x}",
        (FixedIP("s-app", f"10.0.0.{last}"),),
        device_owner="millpond:fence",
        project_id="p-login",
    )
    for last in (251, 252, 253, 254)
)
FENCED = source(ports=(*INVENTORY.ports, LEG, *FENCE))


NOBODY = cast("Providers", None)
"""For what asks no service."""


def snapshot(target: CloudState = PREPARED, here: CloudState = FENCED) -> Snapshot:
    return Snapshot(source=here, target=target, fabric=FabricState(ProviderVlan().observe(NOBODY, target.networks)))


def ids(found: KindPlan | Iterable[AnyStep]) -> list[str]:
    """The step ids without the tenant's name."""
    steps = found.steps if isinstance(found, KindPlan) else found
    return [step.id.removeprefix("acme/") for step in steps]


def change(found: KindPlan, id: str) -> Change:
    step = next(step for step in found.steps if step.id == f"acme/{id}")
    assert isinstance(step, Change)
    return step


def body(found: KindPlan, id: str) -> Mapping[str, Any]:
    values: Mapping[str, Any] = change(found, id).parameters["body"]
    return values


def codes(found: KindPlan) -> list[str]:
    return [finding.code for finding in found.findings]
