"""The site file `millpond.yaml`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from millpond.errors import Problem
from millpond.model.site import Site
from millpond.schemas.convert import DOCUMENT
from millpond.schemas.document import Document, read_as_far_as_it_goes, read_document, refuse
from millpond.schemas.nearest import did_you_mean, listed

SITE_FILE = "millpond.yaml"
FIND_OR_COPY = (
    "go to the site's directory, or name it with -C DIR; for a new site, copy examples/north of Millpond's repository and change it"
)
PASSWORD_IN_URL = re.compile(r"[a-z0-9+]+://[^/@:]*:[^/@]+@")


def load_site(directory: Path) -> Site:
    """The site of a directory. InvalidDocument names all problems; no network is asked."""
    problems: list[Problem] = []
    site = read_site(directory, problems)
    refuse(problems)
    return site


def read_site(directory: Path, problems: list[Problem]) -> Site:
    """The site, or one without content where it has problems, which are added to `problems`."""
    path = directory / SITE_FILE
    if not path.is_file():
        problems.append(_missing(directory))
        return Site("", directory=str(directory))
    if not (document := read_document(path, "site", problems)):
        return Site("", directory=str(directory))
    site = _structure(document, directory)
    problems.extend(_problems(site, document))
    return site


def named_driver(directory: Path) -> tuple[str, str]:
    """The fabric driver that the site file names, and `file:line:column` of that; both are empty where it names none."""
    path = directory / SITE_FILE
    document = read_as_far_as_it_goes(path, "site", []) if path.is_file() else None
    name = document.text("spec", "fabric", "driver") if document else ""
    return name, document.where("spec", "fabric", "driver") if document and name else ""


def _missing(directory: Path) -> Problem:
    if not directory.is_dir():
        return Problem(str(directory), "there is no such directory", fix="name the site's directory with -C DIR")
    other = directory / "millpond.yml"
    fix = f"rename {other} to {SITE_FILE}" if other.exists() else FIND_OR_COPY
    return Problem(str(directory / SITE_FILE), "there is no site file", f"a site's directory holds {SITE_FILE} and tenants/", fix)


def _structure(document: Document, directory: Path) -> Site:
    spec: dict[str, Any] = dict(document.value["spec"] or {})
    expiry: Mapping[str, str] = spec.pop("plan", {})
    spec["expiry"] = {ours: expiry[theirs] for ours, theirs in (("plan", "expires"), ("cutover", "cutover_expires")) if theirs in expiry}
    return DOCUMENT.structure({**spec, "name": document.name, "directory": str(directory)}, Site)


def _problems(site: Site, document: Document) -> Iterator[Problem]:
    yield from _repeated("arrays", [array.name for array in site.arrays], document)
    yield from _repeated("pool_pairs", [pair.name for pair in site.pool_pairs], document)
    for index, array in enumerate(site.arrays):
        if bool(array.password_env) == bool(array.password_file):
            what = f"array `{array.name}` needs exactly one of `password_env` and `password_file`"
            yield Problem(document.where("spec", "arrays", index), what, "the password is read from there at login; no document holds it")
    yield from _pool_problems(site, document)
    if PASSWORD_IN_URL.match(site.journal):
        why = "a password must not be in a document"
        fix = "delete `:PASSWORD` from the URL; PGPASSWORD, PGPASSFILE or ~/.pgpass can hold it"
        yield Problem(document.where("spec", "journal"), "the journal's URL holds a password", why, fix)


def _repeated(key: str, names: Sequence[str], document: Document) -> Iterator[Problem]:
    for index, name in enumerate(names):
        if name in names[:index]:
            what = f"the name `{name}` is used twice in `spec.{key}`"
            first = document.where("spec", key, names.index(name), "name")
            yield Problem(document.where("spec", key, index, "name"), what, f"the first is at {first}", "give one of them another name")


def _pool_problems(site: Site, document: Document) -> Iterator[Problem]:
    arrays = [array.name for array in site.arrays]
    pairs: dict[tuple[str, str], str] = {}
    for index, pair in enumerate(site.pool_pairs):
        for side, end in (("source", pair.source), ("target", pair.target)):
            if end.array not in arrays:
                fix = did_you_mean(end.array, arrays, f"arrays: {listed(arrays)}" if arrays else "list it under `spec.arrays`")
                yield Problem(document.where("spec", "pool_pairs", index, side, "array"), f"there is no array `{end.array}`", fix=fix)
        if pair.source.array == pair.target.array:
            where = document.where("spec", "pool_pairs", index, "target", "array")
            yield Problem(where, f"pool pair `{pair.name}` has both pools on array `{pair.source.array}`", "replication needs two arrays")
        if (other := pairs.setdefault((pair.source.array, pair.source.pool), pair.name)) != pair.name:
            what = f"pool `{pair.source.pool}` of array `{pair.source.array}` is the source of `{other}` and of `{pair.name}`"
            where = document.where("spec", "pool_pairs", index, "source")
            yield Problem(where, what, "it would not be clear where its volumes go", "delete one of the pairs")
