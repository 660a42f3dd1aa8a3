"""Documents for the verbs: the site with its tenants, and the envelope of a plan."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import click

from millpond import schemas
from millpond.cli.fabric_driver import driver_problems
from millpond.cli.one_cloud import refused_for_one_cloud
from millpond.errors import InvalidDocument, MillpondError
from millpond.execution.run import git_sha
from millpond.model.desired import Desired
from millpond.model.plan import Plan, Stage
from millpond.model.plan_document import PlanDocument
from millpond.model.site import Site
from millpond.reporting.summary import waves_in
from millpond.schemas import load_all
from millpond.schemas.document import refuse


def load(directory: Path, tenants: Sequence[str], wave: str = "") -> tuple[Site, tuple[Desired, ...]]:
    """Site and tenants. InvalidDocument names all problems; UsageError where no tenant has such a wave."""
    site, desired = load_all(directory, tenants)
    refuse(driver_problems(directory))
    _expect_wave(desired, wave)
    expect_two_clouds(directory, desired)
    return site, desired


def load_each(directory: Path, tenants: Sequence[str], wave: str = "") -> tuple[Site, tuple[Desired, ...], dict[str, InvalidDocument]]:
    """Like load, but a tenant whose documents have problems does not keep the others."""
    site, desired, refused = schemas.load_each(directory, tenants)
    refuse(driver_problems(directory))
    _expect_wave(desired, wave)
    twice = refused_for_one_cloud(directory, desired)
    if len(twice) == len(desired):
        refuse([problem for error in (*refused.values(), *twice.values()) for problem in error.problems])
    return site, tuple(each for each in desired if each.tenant not in twice), {**refused, **twice}


def load_reviewed(
    directory: Path, tenants: Sequence[str], wave: str, saved: Plan
) -> tuple[Site, tuple[Desired, ...], dict[str, MillpondError]]:
    """Like load_each, for a saved plan: a tenant of it whose documents are gone or not valid is stale, beside the others.

    StalePlan where no tenant has a manifest any more.
    """
    from millpond.runs.plan import told
    from millpond.runs.reviewed import stale

    planned, there = {each.tenant for each in saved.tenants}, schemas.tenant_names(directory)
    gone = {name: stale(f"{schemas.manifest_path(directory, name)} is gone") for name in tenants if name in planned and name not in there}
    left = [name for name in tenants if name not in gone]
    if gone and not left:
        raise stale("\n".join(error.why for error in gone.values()))
    site, desired, refused = load_each(directory, left, wave)
    invalid = {name: stale(told(error)) for name, error in refused.items()}
    return site, desired, {**gone, **invalid}


def expect_two_clouds(directory: Path, tenants: Sequence[Desired]) -> None:
    """InvalidDocument where source and target of a tenant are two names of one cloud."""
    refuse([problem for error in refused_for_one_cloud(directory, tenants).values() for problem in error.problems])


def _expect_wave(desired: Sequence[Desired], wave: str) -> None:
    known = {each.name for tenant in desired for each in tenant.waves}
    if wave and wave not in known:
        raise click.BadParameter(f"no tenant has a wave {wave!r}; there are: {', '.join(sorted(known))}", param_hint="--wave")


def plan_document(site: Site, desired: Sequence[Desired], plan: Plan, wave: str) -> PlanDocument:
    """A plan that cuts over is good for less time than one that prepares: the world moves meanwhile."""
    seconds = site.expiry.cutover if waves_in(plan, {Stage.CUT}) else site.expiry.plan
    directory = Path(site.directory)
    return PlanDocument(
        plan=plan,
        expires=plan.made_at + timedelta(seconds=seconds),
        site=site.name,
        wave=wave,
        git_sha=git_sha(os.environ, directory),
        dirty=_is_dirty(directory),
        clouds=plan.clouds,
        arrays=plan.arrays,
    )


def _is_dirty(directory: Path) -> bool:
    """Whether the documents differ from what is committed; false outside of git."""
    asked = ["git", "-C", str(directory), "status", "--porcelain", "--", "millpond.yaml", "tenants"]
    try:
        return bool(subprocess.run(asked, capture_output=True, text=True, timeout=10, check=True).stdout.strip())
    except (OSError, subprocess.SubprocessError):
        return False
