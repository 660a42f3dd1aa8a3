"""Serves what is simulated: one address per cloud and per array."""

from aiohttp import web

from millpond.sandbox import cinder, glance, infinibox, keystone, neutron, nova, placement
from millpond.sandbox.clouds import SimulatedCloud
from millpond.sandbox.simulation import Simulation


def applications(simulation: Simulation) -> dict[str, web.Application]:
    """By the name in HOSTS."""
    apps = {name: _cloud_application(cloud) for name, cloud in simulation.clouds.items()}
    for name, array in simulation.arrays.items():
        apps[name] = infinibox.application(array)
    return apps


def _cloud_application(cloud: SimulatedCloud) -> web.Application:
    root = web.Application()
    root.add_subapp("/identity", keystone.application(cloud.keystone))
    root.add_subapp("/placement", placement.application(cloud.placement))
    root.add_subapp("/image", glance.application(cloud.glance))
    root.add_subapp("/network", neutron.application(cloud.neutron))
    root.add_subapp("/volume", cinder.application(cloud.cinder))
    root.add_subapp("/compute", nova.application(cloud.nova))
    return root
