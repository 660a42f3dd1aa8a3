"""`millpond discover`: writes what tenants have on the source into their inventories."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from millpond.cli.misuse import Misuse

if TYPE_CHECKING:
    from millpond.model.inventory import Inventory
    from millpond.model.manifest import ProjectRef
    from millpond.model.site import Site

NOT_THERE = (
    "Name the cloud, the domain and the project that it has there with --source-cloud, --source-domain and --source-project, or check that "
    "this login may list projects."
)


@click.command()
@click.argument("tenants", nargs=-1, metavar="[TENANT]...")
@click.option("--source-cloud", default="", help="Cloud of a new tenant, as clouds.yaml names it.")
@click.option("--source-domain", default="Default", show_default=True, help="Domain of its project there.")
@click.option("--source-project", default="", help="Its project there.  [default: the tenant's name]")
@click.option("--target-cloud", default="", help="Cloud that it moves to.")
@click.option("--target-domain", default="", help="Domain there.  [default: as on the source]")
@click.option("--target-project", default="", help="Project there.  [default: as on the source]")
@click.pass_obj
def discover(directory: Path, /, tenants: tuple[str, ...], **places: str) -> None:
    """Read tenants on the source and write their inventories.

    A tenant without a manifest gets a first one to review: name it, with --source-cloud and --target-cloud.
    """
    from millpond.schemas import load_manifest, load_site, manifest_path, tenant_names

    site = load_site(directory)
    known = tenant_names(directory)
    new = [name for name in tenants if name not in known]
    if new:
        _first(site, directory, tenants, places)
        return
    if places["source_cloud"] or places["target_cloud"]:
        raise click.UsageError("--source-cloud and --target-cloud are for a tenant without a manifest")
    if not known:
        raise Misuse("there is no tenant yet: name one, with --source-cloud and --target-cloud", _command("NAME", places))
    for name in tenants or known:
        _write_inventory(site, directory, name, load_manifest(manifest_path(directory, name)).source)
    _write_schemas(directory)


def _first(site: Site, directory: Path, tenants: tuple[str, ...], places: Mapping[str, str]) -> None:
    from millpond.cli.say import say
    from millpond.reporting.files import write_text
    from millpond.runs.observe import MissingProject
    from millpond.schemas import initial_manifest, manifest_path, tenant_names

    if len(tenants) != 1 or not places["source_cloud"] or not places["target_cloud"]:
        alone = "a tenant without a manifest is discovered alone, with --source-cloud and --target-cloud"
        raise Misuse(alone, _command(next(name for name in tenants if name not in tenant_names(directory)), places))
    if places["source_cloud"] == places["target_cloud"]:
        raise click.UsageError("--source-cloud and --target-cloud are the same: name the cloud that the tenant moves to")
    source, target = _places(tenants[0], places)
    try:
        inventory = _write_inventory(site, directory, tenants[0], source)
    except MissingProject as error:
        error.fix = NOT_THERE
        raise
    path = manifest_path(directory, tenants[0])
    write_text(path, initial_manifest(inventory, source, target))
    say(f"Wrote {path}.")
    _write_schemas(directory)
    say(f"\nReview the manifest, then commit what was written. To see what it takes:\n\n    millpond plan {tenants[0]}")


def _command(tenant: str, places: Mapping[str, str]) -> str:
    """What takes a new tenant in, with the clouds that were named already."""
    source, target = places["source_cloud"] or "NAME", places["target_cloud"] or "NAME"
    return f"millpond discover {tenant} --source-cloud {source} --target-cloud {target}"


def _write_schemas(directory: Path) -> None:
    """The first line of what discover writes tells editors to look for them."""
    from millpond.cli.say import say
    from millpond.cli.schema_files import DIRECTORY, write_schemas

    if write_schemas(directory):
        say(f"Wrote {directory / DIRECTORY}/: editors check the documents with it.")


def _places(tenant: str, places: Mapping[str, str]) -> tuple[ProjectRef, ProjectRef]:
    from millpond.model.manifest import ProjectRef

    source = ProjectRef(places["source_cloud"], places["source_domain"], places["source_project"] or tenant)
    target = ProjectRef(places["target_cloud"], places["target_domain"] or source.domain, places["target_project"] or source.project)
    return source, target


def _write_inventory(site: Site, directory: Path, tenant: str, source: ProjectRef) -> Inventory:
    """Left alone where nothing but the time of the discovery would change."""
    from millpond.cli.say import say
    from millpond.reporting.discovery_text import discovery_text
    from millpond.reporting.files import make_directory, write_text
    from millpond.runs.discover import discover as read
    from millpond.schemas import dump_inventory, inventory_path, load_inventory

    path = inventory_path(directory, tenant)
    former = load_inventory(path) if path.exists() else None
    inventory = read(site, tenant, source, former)
    text = dump_inventory(inventory)
    changed = former is None or _untimed(text) != _untimed(path.read_text(encoding="utf-8"))
    if changed:
        make_directory(path.parent)
        write_text(path, text)
    say(discovery_text(inventory, str(path), written=changed))
    return inventory


def _untimed(text: str) -> list[str]:
    return [line for line in text.splitlines() if not line.strip().startswith("discovered_at:")]
