"""The network kinds against two simulated clouds: prepare, switch, come back, go for good; a new look at the world after every call."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from millpond.errors import InvariantBroken
from millpond.model.address import Side
from millpond.model.change import UNKNOWN, Change
from millpond.model.desired import Desired, DesiredWave
from millpond.model.manifest import ProjectRef
from millpond.model.marker import TENANT_TAG
from millpond.model.network import Port
from millpond.model.plan import Stage
from millpond.model.snapshot import CloudState, Snapshot
from millpond.planning.build import admitted_by
from millpond.providers.access import Access
from millpond.providers.open import open_providers
from millpond.providers.ports import Providers
from millpond.reconcilers.base import Goals, Reconciler, Scope
from millpond.reconcilers.identity.source_project import admission_tag
from millpond.reconcilers.network import floating_ip, network, port, router, security_group, segment, stretch, subnet
from millpond.runs.discover import discover
from tests.reconcilers.builders import desired as built
from tests.sandbox.running import Sandbox, start_sandbox

KINDS: tuple[Reconciler, ...] = (security_group, network, stretch, subnet, router, floating_ip, port, segment)
LEAVING: tuple[Reconciler, ...] = (segment, floating_ip, router, port, subnet, network, security_group)
MOVED: dict[str, tuple[Reconciler, ...]] = {"stretch": (network, stretch), "segment": (router, floating_ip, port), "subnet": (subnet, port)}
"""What to look at again after a call of a kind; all others at themselves."""
TURNS = 400
DIGEST = "sha256:0123456789abcdef"


@dataclass
class Tenant:
    """One tenant between the clouds, without its servers. `calls` are the ids of the changes that were sent."""

    sandbox: Sandbox
    providers: Providers
    desired: Desired
    target_project: str
    calls: list[str] = field(default_factory=list)

    def snapshot(self) -> Snapshot:
        source = CloudState(projects=(self.desired.inventory.project,))
        target = CloudState(projects=(replace(self.desired.inventory.project, id=self.target_project),))
        return self.look(KINDS, Snapshot(source=source, target=target))

    def look(self, kinds: tuple[Reconciler, ...], seen: Snapshot) -> Snapshot:
        for kind in kinds:
            scope = Scope("acme", self.desired.inventory.project.id, self.target_project, seen)
            seen = seen.with_facts(kind.observe(self.providers, scope), datetime.now(UTC))
        return seen

    def goals(self, stage: Stage, *, verified: bool = False, decommission: bool = False) -> Goals:
        servers = self.desired.waves[0].servers
        return Goals({"all": stage}, dict.fromkeys(servers, "all"), frozenset(servers if verified else ()), decommission=decommission)

    def converge(self, goals: Goals, kinds: tuple[Reconciler, ...] = KINDS, *, stop_after: str = "") -> Snapshot:
        """One call at a time, planned from what is seen, as if every call were followed by a crash."""
        seen = self.snapshot()
        for _ in range(TURNS):
            found = next(self.ready(goals, seen, kinds), None)
            if found is None:
                return seen
            kind, step = found
            kind.perform(admitted_by(step, self.desired.inventory.project.id, DIGEST), self.providers)
            self.calls.append(step.id.removeprefix("acme/"))
            seen = self.look(MOVED.get(kind.KIND, (kind,)), seen)
            if stop_after and step.action == stop_after:
                return seen
        pytest.fail(f"not done after {TURNS} calls: {self.calls[-20:]}")

    def stop_and_bind(self) -> None:
        """What the cut does to the ports, and the stop that comes before it."""
        compute = self.providers.source.compute
        for server in compute.servers(self.desired.inventory.project.id):
            if server.status == "ACTIVE":
                compute.server_action(server.id, "os-stop")
        self.sandbox.control.advance(60)
        self.converge(self.goals(Stage.CUT), kinds=(port,))

    def arrive(self) -> Snapshot:
        """The gateway first; what waits for it afterwards."""
        arrived = self.goals(Stage.HANDED_OVER, verified=True)
        self.converge(arrived, (segment,))
        return self.converge(arrived)

    def ready(self, goals: Goals, seen: Snapshot, kinds: tuple[Reconciler, ...]) -> Iterator[tuple[Reconciler, Change]]:
        for kind in kinds:
            plan = kind.plan(self.desired, seen, goals)
            assert not [f for f in plan.findings if f.severity == "blocker"], plan.findings
            waiting = {step.id for step in plan.steps}
            for step in plan.steps:
                if isinstance(step, Change) and not waiting & set(step.after) and UNKNOWN not in str(step.parameters):
                    yield kind, step


@pytest.fixture(scope="module", params=["ovs", "ovn"])
def sandbox(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    running = start_sandbox(tmp_path_factory.mktemp("sandbox"), scenario="shop", speed=1000, ml2=request.param)
    yield running
    assert running.stop() == 0


@pytest.fixture
def tenant(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tenant]:
    """In a world that is put back afterwards."""
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(sandbox.clouds_yaml))
    monkeypatch.setenv("OS_CLIENT_SECURE_FILE", str(sandbox.directory / "secure.yaml"))
    before = sandbox.control.snapshot()
    plain = built()
    site = replace(plain.site, fabric=replace(plain.site.fabric, physical_networks={}), maps=replace(plain.site.maps, networks={}))
    inventory = discover(site, "acme", ProjectRef("source-admin", "Default", "acme"))
    wave = DesiredWave("all", tuple(server.id for server in inventory.servers), (), cutover=False)
    providers = open_providers(site, "source-admin", "target-admin", Access.WRITE)
    project = providers.target.identity.create_project({"name": "acme", "domain_id": providers.target.identity.domains()["customers"]})
    yield Tenant(sandbox, providers, replace(built(inventory), site=site, waves=(wave,)), project)
    sandbox.control.restore(before)


@pytest.fixture
def cut(tenant: Tenant) -> Tenant:
    """Prepared, and with the ports of a cut."""
    tenant.converge(tenant.goals(Stage.REPLICATE))
    tenant.stop_and_bind()
    return tenant


def gateways(state: CloudState) -> dict[str, Any]:
    """What the switch carries, without ids."""
    names = {one.id: one.name for one in state.routers}
    owners = ("network:router_interface", "network:ha_router_replicated_interface")
    legs = {(names[p.device_id], p.mac_address, addresses(p)) for p in state.ports if p.device_owner in owners and p.device_id in names}
    ports = {one.id: one.mac_address for one in state.ports}
    return {
        "routers": {r.name: ([a.ip_address for a in r.external_fixed_ips], r.enable_snat, r.routes) for r in state.routers},
        "legs": legs,
        "addresses": {f.floating_ip_address: (ports.get(f.port_id, ""), f.fixed_ip_address) for f in state.floating_ips},
    }


def addresses(one: Port) -> tuple[str, ...]:
    return tuple(sorted(address.ip_address for address in one.fixed_ips))


def test_a_tenant_is_prepared_switched_and_brought_back(tenant: Tenant) -> None:
    untouched = tenant.snapshot()
    prepared = tenant.converge(tenant.goals(Stage.REPLICATE))
    assert gateways(prepared.source) == gateways(untouched.source)
    assert not gateways(prepared.target)["legs"]
    assert all("millpond:stretched" in n.tags for n in prepared.target.networks if n.marker)
    carried = {p.mac_address for p in tenant.desired.inventory.ports} if prepared.target.mechanism == "ovs" else set()
    assert {p.mac_address for p in prepared.target.ports if p.marker} == carried

    tenant.stop_and_bind()
    switched = tenant.arrive()
    assert gateways(switched.target) == gateways(untouched.source)
    assert not gateways(switched.source)["legs"]
    assert not [p for p in switched.source.ports if p.device_owner == "millpond:fence"]
    assert not [n for n in switched.target.networks if "millpond:stretched" in n.tags]
    real = {s.cidr: s.allocation_pools for s in tenant.desired.inventory.subnets}
    assert all(s.allocation_pools == real[s.cidr] for s in switched.target.subnets if s.marker)

    back = tenant.converge(tenant.goals(Stage.DISCARD, verified=True))
    assert gateways(back.source) == gateways(untouched.source)
    assert not gateways(back.target)["legs"]
    assert [r.tags for r in back.source.routers] == [r.tags for r in untouched.source.routers]
    assert not back.source.parked
    assert all(len(s.allocation_pools) < 5 and s.allocation_pools != real[s.cidr] for s in back.target.subnets if s.marker)

    again = tenant.converge(tenant.goals(Stage.REPLICATE))
    assert gateways(again.source) == gateways(untouched.source)
    before = len(tenant.calls)
    tenant.converge(tenant.goals(Stage.REPLICATE))
    assert len(tenant.calls) == before
    assert tenant.sandbox.control.violations() == []


def test_a_switch_that_stops_half_way_goes_back_or_on(cut: Tenant) -> None:
    untouched = gateways(cut.snapshot().source)
    arrived, returning = cut.goals(Stage.HANDED_OVER, verified=True), cut.goals(Stage.DISCARD, verified=True)
    for rung in ("mark_port", "begin", "clear_gateway", "detach", "attach", "set_gateway"):
        cut.converge(arrived, kinds=(segment,), stop_after=rung)
        back = cut.converge(returning, kinds=(segment,))
        assert gateways(back.source) == untouched, rung
    cut.converge(arrived, kinds=(segment,), stop_after="detach")
    on = cut.converge(arrived, kinds=(segment,))
    assert gateways(on.target) == untouched
    cut.converge(returning, kinds=(segment,), stop_after="detach")
    assert gateways(cut.converge(arrived, kinds=(segment,)).target) == untouched
    assert cut.sandbox.control.violations() == []


def test_no_interface_is_attached_while_the_other_side_is_live(cut: Tenant) -> None:
    arrived = cut.goals(Stage.HANDED_OVER, verified=True)
    seen = cut.converge(arrived, kinds=(segment,), stop_after="begin")
    steps = segment.plan(cut.desired, seen, arrived).steps
    for action in ("attach", "set_gateway"):
        early = next(step for step in steps if step.action == action)
        assert isinstance(early, Change)
        cut.sandbox.control.clear_requests()
        with pytest.raises(InvariantBroken):
            segment.perform(early, cut.providers)
        assert cut.sandbox.control.mutating() == []


def test_decommissioning_leaves_nothing_but_parked_addresses(cut: Tenant) -> None:
    tenant, arrived = cut, cut.arrive()
    project = tenant.desired.inventory.project.id
    for server in tenant.providers.source.compute.servers(project):
        tenant.providers.source.compute.delete_server(server.id)
    tenant.sandbox.control.advance(60)
    for tag in (TENANT_TAG, admission_tag(DIGEST)):
        tenant.providers.source.identity.add_project_tag(project, tag)
    gone = tenant.converge(tenant.goals(Stage.DECOMMISSION, verified=True, decommission=True), LEAVING)
    left = gone.source
    assert [g.name for g in left.security_groups] == ["default"]
    assert not [o for o in (*left.networks, *left.subnets, *left.ports, *left.routers, *left.floating_ips) if o.project_id == project]
    given_up = {f.floating_ip_address for f in arrived.target.floating_ips}
    given_up |= {a.ip_address for r in arrived.target.routers for a in r.external_fixed_ips}
    assert {f.floating_ip_address for f in left.parked} == given_up
    assert gateways(gone.target) == gateways(arrived.target)
    assert all(step.side is not Side.TARGET for _, step in tenant.ready(tenant.goals(Stage.DECOMMISSION, decommission=True), gone, LEAVING))
