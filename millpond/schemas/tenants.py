"""All documents of a site's directory together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from millpond.errors import InvalidDocument, Problem
from millpond.model.desired import Desired
from millpond.model.site import Site
from millpond.schemas.document import Document, read_as_far_as_it_goes, refusal, refuse
from millpond.schemas.inventory import inventory_of
from millpond.schemas.manifest import manifest_of
from millpond.schemas.nearest import did_you_mean, listed
from millpond.schemas.resolve import resolve_into
from millpond.schemas.site import read_site

TENANTS = "tenants"
INVENTORY = ".inventory.yaml"


def manifest_path(directory: Path, tenant: str) -> Path:
    return directory / TENANTS / f"{tenant}.yaml"


def inventory_path(directory: Path, tenant: str) -> Path:
    return directory / TENANTS / f"{tenant}{INVENTORY}"


def load_all(directory: Path, names: Sequence[str] = ()) -> tuple[Site, tuple[Desired, ...]]:
    """Site and tenants. InvalidDocument names the problems of all of them at once; no network is asked."""
    problems: list[Problem] = []
    site = read_site(directory, problems)
    tenants = _read_tenants(directory, site, names, problems)
    refuse(problems)
    return site, tenants


def load_each(directory: Path, names: Sequence[str] = ()) -> tuple[Site, tuple[Desired, ...], dict[str, InvalidDocument]]:
    """Like load_all, but a tenant whose documents have problems does not keep the others: tenant → its problems.

    InvalidDocument for problems of the site, of tenants among each other, and where no tenant is left.
    """
    problems: list[Problem] = []
    site = read_site(directory, problems)
    own: dict[str, list[Problem]] = {}
    tenants = tuple(desired for desired in _read_tenants(directory, site, names, problems, own) if not own[desired.tenant])
    if not tenants:
        problems += [problem for found in own.values() for problem in found]
    refuse(problems)
    return site, tenants, {name: refusal(found) for name, found in own.items() if found}


def load_tenants(directory: Path, site: Site, names: Sequence[str] = ()) -> tuple[Desired, ...]:
    """The tenants named, all where none is named, in alphabetical order. InvalidDocument names all problems; no network is asked."""
    problems: list[Problem] = []
    tenants = _read_tenants(directory, site, names, problems)
    refuse(problems)
    return tenants


def tenant_names(directory: Path) -> tuple[str, ...]:
    """The tenants that have a manifest."""
    found = (path.name for path in (directory / TENANTS).glob("*.yaml") if not path.name.startswith("."))
    return tuple(sorted(name.removesuffix(".yaml") for name in found if not name.endswith(INVENTORY)))


def _read_tenants(
    directory: Path, site: Site, names: Sequence[str], problems: list[Problem], own: dict[str, list[Problem]] | None = None
) -> tuple[Desired, ...]:
    """`own` takes the problems of one tenant's documents, by its name, where they are to be kept apart."""
    known = tenant_names(directory)
    problems.extend(_directory_problems(directory))
    if (directory / TENANTS).is_dir():
        problems.extend(_unknown_tenants(directory, names, known))
    wanted = sorted(set(names) & set(known)) if names else known
    kept: dict[str, list[Problem]] = {name: problems if own is None else own.setdefault(name, []) for name in wanted}
    found = tuple(desired for name in wanted if (desired := _read_tenant(directory, site, name, kept[name])))
    problems.extend(_shared_projects(found if own is None else [desired for desired in found if not own[desired.tenant]]))
    return found


def _first(tenant: str) -> str:
    """What writes the first manifest of a tenant."""
    return f"millpond discover {tenant} --source-cloud NAME --target-cloud NAME"


def _directory_problems(directory: Path) -> Iterator[Problem]:
    tenants = directory / TENANTS
    if not tenants.is_dir():
        fix = f"run `{_first('NAME')}` for a first tenant: it writes the manifest and the inventory"
        yield Problem(str(tenants), "there is no such directory", "it holds the manifests of the tenants", fix)
    for path in sorted(tenants.glob("*.yml")):
        yield Problem(str(path), "the file is not read", "manifests end with .yaml", f"rename it to {path.stem}.yaml")


def _unknown_tenants(directory: Path, names: Sequence[str], known: Sequence[str]) -> Iterator[Problem]:
    for name in dict.fromkeys(names):
        if name not in known:
            otherwise = f"tenants: {listed(known)}" if known else f"run `{_first(name)}`"
            why = f"there is no file {manifest_path(directory, name)}"
            yield Problem(str(directory / TENANTS), f"there is no tenant `{name}`", why, did_you_mean(name, known, otherwise))


def _read_tenant(directory: Path, site: Site, name: str, problems: list[Problem]) -> Desired | None:
    manifest = _named(read_as_far_as_it_goes(manifest_path(directory, name), "tenant", problems), name, ".yaml", problems)
    problems.extend(_one_cloud(manifest) if manifest else ())
    path = inventory_path(directory, name)
    if not path.exists():
        why = "names and values come from the inventory, which discover writes"
        problems.append(
            Problem(str(manifest_path(directory, name)), f"tenant `{name}` has no inventory", why, f"run `millpond discover {name}`")
        )
        return None
    inventory = _named(read_as_far_as_it_goes(path, "inventory", problems), name, INVENTORY, problems)
    if manifest is None or inventory is None or not manifest.sound or not inventory.sound:
        return None
    return resolve_into(problems, site, manifest, replace(manifest_of(manifest), name=name), replace(inventory_of(inventory), tenant=name))


def _named(document: Document | None, name: str, ending: str, problems: list[Problem]) -> Document | None:
    other = document.text("metadata", "name") if document else ""
    if document and other and other != name:
        what = f"`metadata.name` is `{other}`, but the file is {name}{ending}"
        fix = f"write `name: {name}`, or rename the file to {other}{ending}"
        problems.append(Problem(document.where("metadata", "name"), what, "both must be the same", fix))
    return document


def same_cloud(where: str, what: str) -> Problem:
    why = "a tenant moves from one cloud to another: its own networks and servers would be in its way"
    return Problem(where, what, why, "name the cloud that the tenant moves to")


def _one_cloud(manifest: Document) -> Iterator[Problem]:
    source, target = manifest.text("spec", "source", "cloud"), manifest.text("spec", "target", "cloud")
    if source and source == target:
        yield same_cloud(manifest.where("spec", "target", "cloud"), f"source and target are the same cloud, `{target}`")


def _shared_projects(tenants: Sequence[Desired]) -> Iterator[Problem]:
    for side in ("source", "target"):
        seen: dict[object, str] = {}
        for desired in tenants:
            project = getattr(desired.manifest, side)
            if (first := seen.setdefault(project, desired.tenant)) != desired.tenant:
                what = f"tenants `{first}` and `{desired.tenant}` have the same {side} project"
                yield Problem(
                    desired.manifest.file,
                    what,
                    f"project `{project.project}` of cloud `{project.cloud}`",
                    "one project belongs to one tenant",
                )
