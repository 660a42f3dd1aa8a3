"""The side of Neutron's agents that its server sees: `agents.py NEUTRON_CONF ML2_CONF HOST...`, in a control plane's own environment.

There is no data plane in the lab. But ml2/openvswitch binds a port only where a live agent serves the host, routers are hosted, floating IPs become
ACTIVE and networks get their network:dhcp ports only when agents ask for them. So agents there are: they speak the real agent RPC and configure nothing.
"""

import logging
import sys
import time
import uuid

import oslo_messaging
from keystoneauth1 import adapter, loading, session
from neutron.agent import rpc as agent_rpc
from neutron.common import config
from neutron.conf import service as service_config
from neutron.conf.agent import common as agent_config
from neutron_lib import constants, context, rpc
from neutron_lib.agent import topics
from oslo_config import cfg

LOG = logging.getLogger("lab-agents")
NETWORK_NODE = "network-node"
BRIDGES = {"physnet1": "br-ex", "physnet-external": "br-ext"}
BEAT_SECONDS, EAGER_BEAT_SECONDS = 30, 4
PASSES = 3
"""How often ports are looked after, for every time that networks and routers are: those two are the dear ones."""
EAGER_SECONDS = 120
"""So long after the start they report often: the server drops reports that are stamped before its own start."""
LOGIN = "keystone_authtoken"


def describe(hosts):
    """The agents as a server lists them: Open vSwitch on every host, one L3 and one DHCP agent."""
    tunnels = {"tunnel_types": ["vxlan"], "tunneling_ip": "192.0.2.1", "l2_population": False}
    switch = {
        "bridge_mappings": BRIDGES,
        "datapath_type": "system",
        "integration_bridge": "br-int",
        "ovs_hybrid_plug": False,
        "extensions": [],
    }
    capabilities = {"ovs_capabilities": {"datapath_types": ["system"], "iface_types": ["vxlan", "internal", "tap"]}}
    for host in [*hosts, NETWORK_NODE]:
        yield agent("openvswitch", constants.AGENT_TYPE_OVS, constants.L2_AGENT_TOPIC, host, {**tunnels, **switch, **capabilities})
    routing = {"agent_mode": "legacy", "handle_internal_only_routers": True, "interface_driver": "openvswitch"}
    yield agent("l3", constants.AGENT_TYPE_L3, topics.L3_AGENT, NETWORK_NODE, {**routing, "routers": 0})
    yield agent("dhcp", constants.AGENT_TYPE_DHCP, topics.DHCP_AGENT, NETWORK_NODE, {"dhcp_lease_duration": 86400, "networks": 0})


def agent(name, kind, topic, host, configurations):
    zone = {} if kind == constants.AGENT_TYPE_OVS else {"availability_zone": "nova"}
    identity = {"binary": f"neutron-{name}-agent", "agent_type": kind, "topic": topic, "host": host}
    return {**identity, **zone, "configurations": configurations, "start_flag": True}


class Agents:
    def __init__(self, hosts):
        self.context = context.get_admin_context_without_session()
        self.hosts = [*hosts, NETWORK_NODE]
        self.described = list(describe(hosts))
        self.reports = agent_rpc.PluginReportStateAPI(topics.REPORTS)
        self.switch = agent_rpc.PluginApi(topics.PLUGIN)
        self.routing = rpc.get_client(oslo_messaging.Target(topic=topics.L3PLUGIN, version="1.0"))
        namespace = constants.RPC_NAMESPACE_DHCP_PLUGIN
        self.dhcp = rpc.get_client(oslo_messaging.Target(topic=topics.PLUGIN, version="1.0", namespace=namespace))
        loading.register_auth_conf_options(cfg.CONF, LOGIN)
        login = session.Session(auth=loading.load_auth_from_conf_options(cfg.CONF, LOGIN))
        self.api = adapter.Adapter(login, service_type="network", interface="public")
        self.floating = {}

    def beat(self):
        for one in self.described:
            self.reports.report_state(self.context, one, use_call="start_flag" in one)
            one.pop("start_flag", None)

    def serve_networks(self):
        """A network with a subnet that has DHCP gets a port for it, with an address in each such subnet."""
        caller = self.dhcp.prepare(version="1.1")
        for network in caller.call(self.context, "get_active_networks_info", host=NETWORK_NODE):
            wanted = [subnet["id"] for subnet in network["subnets"] if subnet["enable_dhcp"] and is_stateful(subnet)]
            device = f"dhcp{uuid.uuid5(uuid.NAMESPACE_DNS, NETWORK_NODE)}-{network['id']}"
            port = next((port for port in network["ports"] if port["device_id"] == device), None)
            if wanted and port is None:
                body = {"network_id": network["id"], "device_id": device, "name": "", "admin_state_up": True}
                project = network.get("project_id") or network["tenant_id"]  # releases differ in which they send
                owner = {"tenant_id": project, "project_id": project}
                fixed = [{"subnet_id": id} for id in wanted]
                caller.call(self.context, "create_dhcp_port", host=NETWORK_NODE, port={"port": {**body, **owner, "fixed_ips": fixed}})
            elif port is not None and {ip["subnet_id"] for ip in port["fixed_ips"]} != set(wanted):
                held = {ip["subnet_id"]: ip["ip_address"] for ip in port["fixed_ips"]}
                fixed = [{"subnet_id": id, "ip_address": held[id]} if id in held else {"subnet_id": id} for id in wanted]
                body = {"network_id": network["id"], "fixed_ips": fixed}
                caller.call(self.context, "update_dhcp_port", host=NETWORK_NODE, port_id=port["id"], port={"port": body})

    def serve_routers(self):
        """Floating IPs of hosted routers become ACTIVE, those that left one DOWN."""
        routers = self.routing.prepare().call(self.context, "sync_routers", host=NETWORK_NODE, router_ids=None)
        now = {router["id"]: {ip["id"] for ip in router.get("_floatingips", [])} for router in routers}
        for router in now.keys() | self.floating.keys():
            here, before = now.get(router, set()), self.floating.get(router, set())
            if here != before:
                statuses = {**dict.fromkeys(before - here, "DOWN"), **dict.fromkeys(here, "ACTIVE")}
                self.routing.prepare(version="1.1").call(
                    self.context, "update_floatingip_statuses", router_id=router, fip_statuses=statuses
                )
        self.floating = now

    def serve_ports(self):
        """Bound ports that are not ACTIVE yet are wired."""
        for status in ("DOWN", "BUILD"):
            filters = {"status": status, "admin_state_up": "true", "fields": ["id", "binding:host_id", "binding:vif_type"]}
            ports = self.api.get("/v2.0/ports", params=filters).json()["ports"]
            for host in self.hosts:
                ids = [port["id"] for port in ports if port["binding:vif_type"] == "ovs" and port["binding:host_id"] == host]
                if ids:
                    self._wire(host, ids)

    def _wire(self, host, ids):
        agent_id = f"ovs-agent-{host}"
        self.switch.get_devices_details_list_and_failed_devices(self.context, ids, agent_id=agent_id, host=host)
        self.dhcp.prepare(version="1.5").call(self.context, "dhcp_ready_on_ports", port_ids=ids)
        self.switch.update_device_list(self.context, ids, [], agent_id, host)

    def serve(self):
        started = time.monotonic()
        beaten = None
        while True:
            now = time.monotonic()
            if beaten is None or now - beaten > (EAGER_BEAT_SECONDS if now - started < EAGER_SECONDS else BEAT_SECONDS):
                beaten = now
                attempt(self.beat)
            for service in (self.serve_networks, self.serve_routers, *[self.serve_ports] * PASSES):
                attempt(service)
                time.sleep(1)


def attempt(service):
    """Whatever the server answers, agents go on."""
    try:
        service()
    except Exception as error:
        LOG.warning("%s: %s %s", service.__name__, type(error).__name__, error)
        time.sleep(1)


def is_stateful(subnet):
    return subnet["ip_version"] == 4 or subnet["ipv6_address_mode"] in (constants.DHCPV6_STATEFUL, constants.DHCPV6_STATELESS)


def main():
    neutron, ml2, *hosts = sys.argv[1:]
    config.register_common_config_options()
    agent_config.register_agent_state_opts_helper(cfg.CONF)
    service_config.register_service_opts(service_config.RPC_EXTRA_OPTS, cfg.CONF)
    config.init(["--config-file", neutron, "--config-file", ml2])
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s")
    agents = Agents(hosts)
    cfg.CONF.set_override("rpc_response_timeout", 15)
    agents.serve()


if __name__ == "__main__":
    main()
