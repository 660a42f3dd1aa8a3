"""A saved plan of two tenants: what moved of one makes that one stale, with its reason, and the other is applied."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from millpond.model.manifest import ProjectRef
from millpond.model.site import Site
from millpond.runs.discover import discover
from millpond.schemas import dump_inventory
from tests.sandbox.conftest import connect
from tests.story.command import Answer, millpond
from tests.story.stage import SOURCE, TARGET, Stage

CORES = 60
BETA_TARGET = "target-beta"


def write_beta(stage: Stage, **spec: Any) -> None:
    document = {
        "apiVersion": "millpond.dev/v1",
        "kind": "Tenant",
        "metadata": {"name": "beta"},
        "spec": {
            "source": {**SOURCE, "project": "beta"},
            "target": {**TARGET, "cloud": BETA_TARGET, "project": "beta"},
            "quotas": {"cores": CORES},
            **spec,
        },
    }
    (stage.directory / "tenants/beta.yaml").write_text(yaml.safe_dump(document))


@pytest.fixture(autouse=True)
def clouds(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clouds.yaml of its own, in which beta's target has a name of its own."""
    document = yaml.safe_load(stage.sandbox.clouds_yaml.read_text())
    document["clouds"][BETA_TARGET] = document["clouds"]["target-admin"]
    path = stage.directory / "clouds.yaml"
    path.write_text(yaml.safe_dump(document))
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(path))
    return path


@pytest.fixture
def two(stage: Stage) -> Stage:
    """The plan gives both tenants more cores; beta's project is made by it."""
    domain = connect(stage.sandbox, "source-admin").identity.find_domain("Default", ignore_missing=False)
    connect(stage.sandbox, "source-admin").identity.create_project(name="beta", domain_id=domain.id)
    stage.manifest["quotas"] = {"cores": CORES}
    stage.write()
    write_beta(stage)
    inventory = discover(Site("story", directory=str(stage.directory)), "beta", ProjectRef(**{**SOURCE, "project": "beta"}))
    (stage.directory / "tenants/beta.inventory.yaml").write_text(dump_inventory(inventory))
    answer = millpond(stage.directory, "plan", "-o", "plan.json")
    assert (answer.code, answer.err) == (0, ""), answer.text
    return stage


def cores(stage: Stage, tenant: str) -> int | None:
    """None where the tenant has no project on the target."""
    admin = connect(stage.sandbox, "target-admin")
    domain = admin.identity.find_domain("customers", ignore_missing=False)
    project = admin.identity.find_project(tenant, domain_id=domain.id, ignore_missing=True)
    return int(admin.get_compute_quotas(project.id).cores) if project else None


def limit(stage: Stage, cores: int) -> None:
    admin = connect(stage.sandbox, "target-admin")
    domain = admin.identity.find_domain("customers", ignore_missing=False)
    admin.set_compute_quotas(admin.identity.find_project("acme", domain_id=domain.id, ignore_missing=False).id, cores=cores)


def edit(stage: Stage) -> None:
    write_beta(stage, quotas={"cores": 70})


def break_manifest(stage: Stage) -> None:
    write_beta(stage, waves=[{"name": "pilot", "servers": ["nobody"]}])


def remove_manifest(stage: Stage) -> None:
    (stage.directory / "tenants/beta.yaml").unlink()


def remove_inventory(stage: Stage) -> None:
    (stage.directory / "tenants/beta.inventory.yaml").unlink()


def edit_inventory(stage: Stage) -> None:
    path = stage.directory / "tenants/beta.inventory.yaml"
    document = yaml.safe_load(path.read_text())
    document["spec"]["project"]["description"] = "another"
    path.write_text(yaml.safe_dump(document))


def apply(stage: Stage) -> Answer:
    return millpond(stage.directory, "apply", "plan.json")


def told(answer: Answer) -> str:
    return " ".join(answer.err.split())


@pytest.mark.parametrize(
    ("move", "reason"),
    [
        (edit, "the documents of beta changed since the plan was made: beta: reviewed sha256:"),
        (edit_inventory, "the documents of beta changed since the plan was made: beta: reviewed sha256:"),
        (break_manifest, "The documents are not valid: "),
        (remove_manifest, "tenants/beta.yaml is gone"),
        (remove_inventory, "tenant `beta` has no inventory"),
    ],
)
def test_documents_that_moved_concern_their_tenant_alone(two: Stage, move: Callable[[Stage], None], reason: str) -> None:
    move(two)
    answer = apply(two)
    assert answer.code == 4, answer.text
    assert told(answer).startswith("beta Error: The saved plan is stale Why: "), answer.err
    assert reason in told(answer)
    assert answer.out.endswith("\n\nThe saved plan is stale for beta, which is told below.\n")
    assert answer.err.endswith("\n\n    millpond plan -o plan.json\n")
    assert (cores(two, "acme"), cores(two, "beta")) == (CORES, None)


def test_a_cloud_that_moved_concerns_its_tenants_alone(two: Stage) -> None:
    path = two.directory / "plan.json"
    document = json.loads(path.read_text())
    document["identities"]["clouds"][BETA_TARGET] = "http://another"
    path.write_text(json.dumps(document))
    answer = apply(two)
    assert answer.code == 4, answer.text
    assert f"cloud {BETA_TARGET} was http://another when it was made and is http://" in told(answer)
    assert (cores(two, "acme"), cores(two, "beta")) == (CORES, None)


def test_a_cloud_that_is_not_configured_any_more_concerns_its_tenants_alone(two: Stage, clouds: Path) -> None:
    document = yaml.safe_load(clouds.read_text())
    del document["clouds"][BETA_TARGET]
    clouds.write_text(yaml.safe_dump(document))
    answer = apply(two)
    assert answer.code == 1, answer.text
    assert told(answer).startswith("beta Error: A cloud is not configured"), answer.err
    assert (cores(two, "acme"), cores(two, "beta")) == (CORES, None)


def test_a_world_that_moved_concerns_its_tenant_alone(two: Stage) -> None:
    limit(two, 999)
    answer = apply(two)
    assert answer.code == 4, answer.text
    assert told(answer).startswith("acme Error: The saved plan is stale Why: what is needed now is not what was reviewed:"), answer.err
    assert "cores is 999" in told(answer)
    assert (cores(two, "acme"), cores(two, "beta")) == (999, CORES)


def test_where_all_moved_nothing_is_sent_and_each_is_told(two: Stage) -> None:
    edit(two)
    two.manifest["quotas"] = {"cores": 70}
    two.write()
    stale_for_all(two, "the documents of acme changed", "the documents of beta changed")


def test_a_site_file_that_moved_concerns_all(two: Stage) -> None:
    two.site_spec = {"image_metadata": {"hw_machine_type": "q35"}}
    two.write()
    stale_for_all(two, "the documents of acme changed", "the documents of beta changed")


def test_where_no_tenant_has_a_manifest_any_more_nothing_is_sent(two: Stage) -> None:
    for path in Path(two.directory / "tenants").glob("*.yaml"):
        path.unlink()
    stale_for_all(two, "tenants/acme.yaml is gone", "tenants/beta.yaml is gone")


def stale_for_all(stage: Stage, *reasons: str) -> None:
    with stage.counted() as mutating:
        answer = apply(stage)
    assert (answer.code, answer.out.strip(), mutating) == (4, "", []), answer.text
    assert told(answer).startswith("Error: The saved plan is stale Why: ")
    for reason in reasons:
        assert reason in told(answer)
