"""The first manifest of a tenant: a person reviews it in a minute and commits it."""

from __future__ import annotations

from collections.abc import Iterator

from millpond.model.compute import Server
from millpond.model.counting import counted
from millpond.model.inventory import Inventory
from millpond.model.manifest import ProjectRef
from millpond.schemas.attachments import attachments
from millpond.schemas.definitions import API_VERSION, modeline
from millpond.schemas.inventory_text import dump_yaml
from millpond.schemas.next_hops import plain_servers

MANIFEST = """\
{modeline}
# Tenant {tenant}: {servers}, {volumes} of {size} GiB, {networks}.
apiVersion: {api_version}
kind: Tenant
metadata: {{name: {tenant}}}
spec:
  source: {source}
  target: {target}
  cutover: false        # true: the tenant moves; back to false: it returns
  decommission: false   # true: the tenant is deleted on the source
"""
PILOT = """\
  # Waves cut over one after the other; what no wave names forms the last one, `rest`. Choose them before the first apply: the disks
  # of a wave replicate as one. A small first wave shows that all is well:
  # waves:
  #   - name: pilot
  #     servers: [{server}]
  #     cutover: false
"""


def initial_manifest(inventory: Inventory, source: ProjectRef, target: ProjectRef) -> str:
    """YAML of a manifest that changes nothing yet. What cannot be moved for now is excluded, each with its reason."""
    staying = dict(_staying(inventory))
    head = MANIFEST.format(
        modeline=modeline("tenant"),
        tenant=inventory.tenant,
        servers=counted(len(inventory.servers), "server"),
        volumes=counted(len(inventory.volumes), "volume"),
        size=sum(volume.size for volume in inventory.volumes),
        networks=counted(sum(1 for network in inventory.networks if not network.shared and not network.external), "network"),
        api_version=API_VERSION,
        source=_place(source),
        target=_place(target),
    )
    return head + _pilot(inventory, staying) + _exclusions(inventory, staying)


def _staying(inventory: Inventory) -> Iterator[tuple[str, str]]:
    """(source id, reason) of what is refused for now, and of what cannot move without it."""
    disks = attachments(inventory)
    encrypted = {volume.id for volume in inventory.volumes if volume.encrypted}
    reasons: dict[str, str] = {}
    for server in inventory.servers:
        if server.image_id:
            reasons[server.id] = "boots from an image, not from a volume: not supported yet"
        elif encrypted & disks.volumes_of(server.id):
            reasons[server.id] = "has an encrypted volume: not supported yet"
    todo = list(reasons)
    while todo:
        for other in sorted(disks.sharing(todo.pop()) - reasons.keys()):
            reasons[other] = "shares a volume with a server that stays behind"
            todo.append(other)
    yield from reasons.items()
    for volume in inventory.volumes:
        if volume.encrypted and not disks.servers_of(volume.id):
            yield volume.id, "is encrypted: not supported yet"


def _pilot(inventory: Inventory, staying: dict[str, str]) -> str:
    """The smallest server that runs and that nothing else leans on: the cutover of a stopped one would show nothing."""
    disks = attachments(inventory)
    sizes = {volume.id: volume.size for volume in inventory.volumes}
    free = [server for server in inventory.servers if server.id not in staying and not disks.sharing(server.id)]
    plain = plain_servers(inventory)
    fit = [server for server in free if server.power == "active" and server.id in plain]
    if len(free) < 2 or not fit:
        return ""
    smallest = min(fit, key=lambda server: (sum(sizes.get(id, 0) for id in disks.volumes_of(server.id)), server.name, server.id))
    return PILOT.format(server=_server(smallest, inventory))


def _server(server: Server, inventory: Inventory) -> str:
    alone = [other.name for other in inventory.servers].count(server.name) == 1
    return _text(server.name) if server.name and alone else f"{{source_id: {_text(server.id)}}}"


def _exclusions(inventory: Inventory, staying: dict[str, str]) -> str:
    lines = ["  exclude:\n"] if staying else []
    for kind, objects in (("server", inventory.servers), ("volume", inventory.volumes)):
        names = [each.name for each in objects]
        for each in objects:
            if each.id in staying:
                known = each.name if each.name and names.count(each.name) == 1 else each.id
                lines.append(f"    - {{{kind}: {_text(known)}, reason: {_text(staying[each.id])}}}\n")
    return "".join(lines)


def _place(ref: ProjectRef) -> str:
    return f"{{cloud: {_text(ref.cloud)}, domain: {_text(ref.domain)}, project: {_text(ref.project)}}}"


def _text(text: str) -> str:
    """A text as it can stand inside a flow mapping, on one line: quoted where it needs to be."""
    plain = dump_yaml([text], default_flow_style=True).strip().removeprefix("[").removesuffix("]")
    return plain if plain == text else dump_yaml(text, default_style='"').strip()
