"""The examples are what people copy: they must be valid, and say what their comments say."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
import yaml

from millpond.cli.schema_files import write_schemas
from millpond.model.desired import Desired
from millpond.model.site import Site
from millpond.schemas import load_all

ROOT = Path(__file__).parents[2]
NORTH = ROOT / "examples/north"


@pytest.fixture(scope="module")
def north() -> tuple[Site, Desired]:
    site, tenants = load_all(NORTH)
    assert [tenant.tenant for tenant in tenants] == ["acme"]
    return site, tenants[0]


def test_the_example_tenant_cuts_over_its_pilot_alone(north: tuple[Site, Desired]) -> None:
    _, acme = north
    assert [(wave.name, wave.cutover, len(wave.servers)) for wave in acme.waves] == [("pilot", True, 1), ("shop", False, 2)]


def test_every_cloud_of_the_example_is_in_clouds_yaml(north: tuple[Site, Desired]) -> None:
    _, acme = north
    clouds = yaml.safe_load((NORTH / "clouds.yaml").read_text())["clouds"]
    assert {acme.manifest.source.cloud, acme.manifest.target.cloud} == set(clouds)


def test_the_commented_blocks_of_the_example_are_valid_too(tmp_path: Path, north: tuple[Site, Desired]) -> None:
    (tmp_path / "tenants").mkdir()
    for path in ("millpond.yaml", "tenants/acme.inventory.yaml"):
        (tmp_path / path).write_text((NORTH / path).read_text())
    text = (NORTH / "tenants/acme.yaml").read_text()
    text = re.sub(r"# (rollback: \{.*?\}) .*", r"\1", text).replace("cutover: true ", "cutover: false")
    text = re.sub(r"# (approvals:)\n  # (.*)", r"\1\n  \2", text).replace("sha256:…", "sha256:" + "0" * 64)
    text = re.sub(r"# (exclude:)\n  # (.*)", r"\1\n  \2", text).replace("old-build-box", "web-2").replace("[web-2, db-1]", "[db-1]")
    (tmp_path / "tenants/acme.yaml").write_text(text)
    _, (acme,) = load_all(tmp_path)
    assert acme.waves[0].rollback is not None
    assert acme.manifest.approvals
    assert len(acme.excluded) > 1  # the server and its volume


def test_a_copied_site_finds_its_schemas_once_they_are_written(tmp_path: Path) -> None:
    site = tmp_path / "site"
    shutil.copytree(NORTH, site)
    write_schemas(site)
    for path in (site / "millpond.yaml", *sorted((site / "tenants").iterdir())):
        told = re.match(r"# yaml-language-server: \$schema=(\S+)\n", path.read_text())
        assert told, path
        assert (path.parent / told[1]).resolve().is_file(), path


def test_no_example_holds_a_password() -> None:
    for path in sorted(NORTH.rglob("*.yaml")):
        assert not re.search(r"^\s*password\s*:", path.read_text(), re.MULTILINE), path
