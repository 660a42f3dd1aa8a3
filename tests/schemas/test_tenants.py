"""All documents of a directory together: which are read, which are missing, and every problem of all of them at once."""

from __future__ import annotations

import socket
from dataclasses import replace
from pathlib import Path

import pytest

from millpond.model.site import Site
from millpond.schemas import load_all, load_each, load_tenants, tenant_names
from tests.schemas.writing import HEAD, INVENTORY, SITE, SiteDirectory, lines


def two_tenants(site: SiteDirectory) -> None:
    site.write("millpond.yaml", SITE)
    site.manifest()
    site.inventory()
    site.write("tenants/beta.yaml", HEAD.replace("acme", "beta"))
    site.inventory(replace(INVENTORY, tenant="beta", project=replace(INVENTORY.project, name="beta")))


def test_all_tenants_when_none_is_named(site: SiteDirectory) -> None:
    two_tenants(site)
    site.write("tenants/README.md", "notes")
    site.write("tenants/.beta.yaml.swp", "x")
    assert [each.tenant for each in load_tenants(site.path, Site("north"))] == ["acme", "beta"]
    assert [each.tenant for each in load_tenants(site.path, Site("north"), ["beta"])] == ["beta"]
    assert tenant_names(site.path) == ("acme", "beta")


def test_a_tenant_that_is_not_there(site: SiteDirectory) -> None:
    two_tenants(site)
    assert lines(site.problems(lambda: load_tenants(site.path, Site("north"), ["acm", "zzz"]))) == [
        "tenants: there is no tenant `acm` (there is no file tenants/acm.yaml) -> did you mean `acme`?",
        "tenants: there is no tenant `zzz` (there is no file tenants/zzz.yaml) -> tenants: `acme` and `beta`",
    ]


def test_a_broken_tenant_that_is_not_named_is_not_read(site: SiteDirectory) -> None:
    two_tenants(site)
    site.write("tenants/beta.yaml", "nonsense")
    assert [each.tenant for each in load_tenants(site.path, Site("north"), ["acme"])] == ["acme"]


def test_a_manifest_without_an_inventory(site: SiteDirectory) -> None:
    site.manifest()
    assert lines(site.problems(lambda: load_tenants(site.path, Site("north")))) == [
        "tenants/acme.yaml: tenant `acme` has no inventory (names and values come from the inventory, which discover writes)"
        " -> run `millpond discover acme`"
    ]


def test_source_and_target_are_two_clouds(site: SiteDirectory) -> None:
    two_tenants(site)
    site.write("tenants/acme.yaml", HEAD.replace("cloud: new", "cloud: old"))
    told = (
        "tenants/acme.yaml:6:19: source and target are the same cloud, `old`"
        " (a tenant moves from one cloud to another: its own networks and servers would be in its way)"
        " -> name the cloud that the tenant moves to"
    )
    assert lines(site.problems(lambda: load_all(site.path))) == [told]
    _, others, refused = load_each(site.path)
    assert ([each.tenant for each in others], [*refused]) == (["beta"], ["acme"])


def test_an_inventory_without_a_manifest_is_nobodys(site: SiteDirectory) -> None:
    site.inventory()
    assert load_tenants(site.path, Site("north")) == ()


def test_a_directory_without_tenants(site: SiteDirectory) -> None:
    assert lines(site.problems(lambda: load_tenants(site.path, Site("north"), ["acme"]))) == [
        "tenants: there is no such directory (it holds the manifests of the tenants)"
        " -> run `millpond discover NAME --source-cloud NAME --target-cloud NAME` for a first tenant: it writes the manifest and the inventory"
    ]


def test_a_file_that_would_be_overlooked(site: SiteDirectory) -> None:
    site.write("tenants/acme.yml", HEAD)
    assert lines(site.problems(lambda: load_tenants(site.path, Site("north")))) == [
        "tenants/acme.yml: the file is not read (manifests end with .yaml) -> rename it to acme.yaml"
    ]


def test_the_name_is_the_files_name(site: SiteDirectory) -> None:
    site.write("tenants/gamma.yaml", HEAD)
    site.write("tenants/gamma.inventory.yaml", (site.inventory()).read_text())
    assert lines(site.problems(lambda: load_tenants(site.path, Site("north"), ["gamma"]))) == [
        "tenants/gamma.inventory.yaml:7:9: `metadata.name` is `acme`, but the file is gamma.inventory.yaml (both must be the same)"
        " -> write `name: gamma`, or rename the file to acme.inventory.yaml",
        "tenants/gamma.yaml:3:18: `metadata.name` is `acme`, but the file is gamma.yaml (both must be the same)"
        " -> write `name: gamma`, or rename the file to acme.yaml",
    ]


def test_two_tenants_with_one_project(site: SiteDirectory) -> None:
    two_tenants(site)
    site.write("tenants/beta.yaml", HEAD.replace("name: acme", "name: beta").replace("Default, project: acme", "Default, project: beta"))
    assert lines(site.problems(lambda: load_tenants(site.path, Site("north")))) == [
        "tenants/beta.yaml: tenants `acme` and `beta` have the same target project (project `acme` of cloud `new`) -> one project belongs to one tenant"
    ]


def test_a_copy_that_is_not_finished_keeps_no_other_tenant(site: SiteDirectory) -> None:
    two_tenants(site)
    site.write("tenants/beta.yaml", HEAD)
    told = [problem.what for problem in site.problems(lambda: load_all(site.path))]
    assert [what for what in told if what.startswith("`metadata.name`")]
    assert [what for what in told if "have the same target project" in what]
    _, others, refused = load_each(site.path)
    assert ([each.tenant for each in others], [*refused]) == (["acme"], ["beta"])


def test_the_problems_of_all_documents_come_at_once_in_order(site: SiteDirectory) -> None:
    two_tenants(site)
    site.write("millpond.yaml", SITE + "oops: 1\n")
    site.manifest("cutovr: true\nsoak: x")
    site.write("tenants/beta.yaml", "a: [")
    found = [problem.where for problem in site.problems(lambda: load_all(site.path))]
    assert found == ["millpond.yaml:5:1", "tenants/acme.yaml:7:3", "tenants/acme.yaml:8:9", "tenants/beta.yaml:2:1"]


def test_reading_asks_no_network(site: SiteDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    two_tenants(site)

    def refuse(*_: object) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert len(load_all(site.path)[1]) == 2


def test_a_file_in_place_of_the_directory(site: SiteDirectory) -> None:
    site.write("tenants", "x")
    assert [each.what for each in site.problems(lambda: load_tenants(Path(site.path), Site("north")))] == ["there is no such directory"]
