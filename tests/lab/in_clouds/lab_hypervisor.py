"""Nova's own fake hypervisor, made to survive a restart of nova-compute and to have the initiators of a real host.

Nova loads hypervisor drivers from its package nova.virt alone: this file is copied there, into the environments of the lab.
"""

import hashlib

from nova.compute import power_state
from nova.virt import fake


class LabHypervisor(fake.FakeDriverWithoutFakeNodes):
    """The fake driver keeps its guests in memory. A hypervisor still has them when nova-compute was restarted, and so has this one."""

    def _ensure(self, instance, state):
        if instance.uuid not in self.instances:
            self.resources.claim(vcpus=instance.flavor.vcpus, mem=instance.flavor.memory_mb, disk=instance.flavor.root_gb)
            self.instances[instance.uuid] = fake.FakeInstance(instance.name, state, instance.uuid)

    def resume_state_on_host_boot(self, context, instance, network_info, *more, **named):
        self._ensure(instance, power_state.RUNNING)

    def power_on(self, context, instance, *more, **named):
        self._ensure(instance, power_state.SHUTDOWN)
        return super().power_on(context, instance, *more, **named)

    def power_off(self, instance, *more, **named):
        self._ensure(instance, power_state.RUNNING)
        return super().power_off(instance, *more, **named)

    def detach_interface(self, context, instance, vif):
        self._interfaces.setdefault(vif["id"], vif)
        return super().detach_interface(context, instance, vif)

    def get_volume_connector(self, instance):
        """The same for each start of a host, with one iSCSI initiator and two Fibre Channel ports."""
        digits = hashlib.sha256((self._host or "").encode()).hexdigest()
        connector = super().get_volume_connector(instance)
        connector.update(
            initiator=f"iqn.1994-05.com.redhat:{digits[:12]}",
            wwpns=[f"50060b0000{digits[:6]}", f"50060b0001{digits[:6]}"],
            wwnns=[f"50060b0002{digits[:6]}"],
            multipath=True,
            platform="x86_64",
            os_type="linux",
        )
        return connector
