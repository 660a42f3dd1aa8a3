"""What is wrong before anything is done: one clear text with what to do, the exit code, nothing done, and the next run finishes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
import yaml

from tests.story.command import millpond
from tests.story.stage import SOURCE, TARGET, Stage
from tests.story.tls import terminated
from tests.story.worlds import INVENTORY

MANIFEST = "tenants/acme.yaml"


@dataclass(frozen=True)
class Wrong:
    """`breaks` is applied to a tenant that is prepared, its documents written. `told` is all that stands on stderr, or a block of stdout."""

    name: str
    breaks: Callable[[Stage, pytest.MonkeyPatch], Any]
    told: str
    code: int = 1


def _state(**spec: Any) -> Callable[[Stage, pytest.MonkeyPatch], None]:
    def breaks(stage: Stage, _patch: pytest.MonkeyPatch) -> None:
        stage.manifest |= spec
        stage.write()

    return breaks


def _site(**array: Any) -> Callable[[Stage, pytest.MonkeyPatch], None]:
    def breaks(stage: Stage, _patch: pytest.MonkeyPatch) -> None:
        stage.site_spec = {"arrays": [{**stage._array("ibox-a"), **array}, stage._array("ibox-b")]}
        stage.write()

    return breaks


def _edit(file: str, before: str, after: str) -> Callable[[Stage, pytest.MonkeyPatch], None]:
    def breaks(stage: Stage, _patch: pytest.MonkeyPatch) -> None:
        text = (stage.directory / file).read_text()
        assert before in text
        (stage.directory / file).write_text(text.replace(before, after, 1))

    return breaks


def _fault(**fault: Any) -> Callable[[Stage, pytest.MonkeyPatch], None]:
    def breaks(stage: Stage, _patch: pytest.MonkeyPatch) -> None:
        stage.sandbox.control.fault(**fault)

    return breaks


def _cloud(**auth: str) -> Callable[[Stage, pytest.MonkeyPatch], None]:
    def breaks(stage: Stage, patch: pytest.MonkeyPatch) -> None:
        clouds = yaml.safe_load(stage.sandbox.clouds_yaml.read_text())
        clouds["clouds"]["target-admin"]["auth"] |= auth
        (stage.directory / "clouds.yaml").write_text(yaml.safe_dump(clouds))
        patch.setenv("OS_CLIENT_CONFIG_FILE", str(stage.directory / "clouds.yaml"))

    return breaks


def _other_project(stage: Stage, _patch: pytest.MonkeyPatch) -> None:
    path = stage.directory / INVENTORY
    text = path.read_text()
    path.write_text(text.replace(yaml.safe_load(text)["spec"]["project"]["id"], "f" * 32))


def _journal(stage: Stage, url: str) -> None:
    stage.site_spec = {"journal": url}
    stage.write()


WRONG = (
    Wrong(
        "unknown key",
        _state(cutovr=True),
        """
        Error: The documents are not valid: 1 problem

          tenants/acme.yaml:15:3
            unknown key `cutovr` in `spec`
            To do: did you mean `cutover`?
        """,
    ),
    Wrong(
        "not YAML",
        lambda stage, _: (stage.directory / MANIFEST).write_text("a: [\n b: c"),
        """
        Error: The documents are not valid: 1 problem

          tenants/acme.yaml:3:1
            a bracket is not closed
            Why:   it began on line 1
            To do: check that every [ and { has its ] and }, with commas between the items
        """,
    ),
    Wrong(
        "no inventory",
        lambda stage, _: (stage.directory / INVENTORY).unlink(),
        """
        Error: The documents are not valid: 1 problem

          tenants/acme.yaml
            tenant `acme` has no inventory
            Why:   names and values come from the inventory, which discover writes
            To do: run `millpond discover acme`
        """,
    ),
    Wrong(
        "another tenant's inventory",
        _edit(INVENTORY, "name: acme", "name: other"),
        """
        Error: The documents are not valid: 1 problem

          tenants/acme.inventory.yaml:7:9
            `metadata.name` is `other`, but the file is acme.inventory.yaml
            Why:   both must be the same
            To do: write `name: acme`, or rename the file to other.inventory.yaml
        """,
    ),
    Wrong(
        "another project's inventory",
        _other_project,
        """
        Blocker: acme/source_project/acme holds the whole tenant  [source_gone]
          the project acme that the inventory was made of (ffffffffffffffffffffffffffffffff) is not on cloud
          source-admin
          Why:   nothing can be replicated from it, and nothing could go back to it
          To do: if the migration is complete, remove tenants/acme.yaml and its inventory; else check the
                 login and the manifest's source, and if the inventory is of another project, write it anew:

              millpond discover acme
        """,
        3,
    ),
    Wrong(
        "missing cloud",
        _state(target={"cloud": "target-admn", "domain": "customers", "project": "acme"}),
        """
        Error: A cloud is not configured
          Where: tenants/acme.yaml:11:12
          Why:   cloud target-admn is not configured; there are: source-acme, source-admin, target-admin
          To do: Did you mean target-admin?
        """,
    ),
    Wrong(
        "wrong password of a cloud",
        _cloud(password="wrong"),
        """
        Error: The login was refused
          Where: target-admin
          Why:   Keystone of cloud target-admin refused the login (HTTP 401)
          To do: Check auth and project of this cloud in clouds.yaml and secure.yaml.
        """,
    ),
    Wrong(
        "unreachable cloud",
        _cloud(auth_url="http://127.0.0.12:9/identity/v3"),
        """
        Error: A service cannot be reached
          Where: target-admin: GET /identity/v3
          Why:   Keystone of cloud target-admin: connection refused
          To do: Check auth_url, the network and cacert in clouds.yaml.
        """,
    ),
    Wrong(
        "cloud that fails throughout",
        _fault(action={"status": 500}, cloud="target", count=0),
        """
        Error: A service cannot be reached
          Where: target-admin
          Why:   Keystone of cloud target-admin answers HTTP 500
          To do: The service itself fails: see its log, and run this again when it works.
        """,
    ),
    Wrong(
        "Nova that fails throughout",
        _fault(action={"status": 500}, cloud="target", service="nova", count=0),
        """
        Error: A call failed
          Where: target-admin: compute
          Why:   Internal Server Error (HTTP 500)
          To do: The service itself fails: see its log, and run this again when it works.
        """,
    ),
    Wrong(
        "wrong password of an array",
        lambda stage, _: (stage.directory / "password").write_text("wrong"),
        """
        Error: The login was refused
          Where: ibox-a
          Why:   array ibox-a refused the login of admin
          To do: Check the username of array ibox-a in millpond.yaml, and the password in the file password.

        Error: The login was refused
          Where: ibox-b
          Why:   array ibox-b refused the login of admin
          To do: Check the username of array ibox-b in millpond.yaml, and the password in the file password.
        """,
    ),
    Wrong(
        "no password of an array",
        lambda stage, _: (stage.directory / "password").unlink(),
        """
        Error: The password of an array is missing
          Where: ibox-a
          Why:   there is no password for array ibox-a: password cannot be read: No such file or directory
          To do: Write the password of admin into it, or correct password_file in millpond.yaml.

        Error: The password of an array is missing
          Where: ibox-b
          Why:   there is no password for array ibox-b: password cannot be read: No such file or directory
          To do: Write the password of admin into it, or correct password_file in millpond.yaml.
        """,
    ),
    Wrong(
        "unreachable array",
        _site(port=9),
        """
        Error: A service cannot be reached
          Where: ibox-a: GET /api/rest/_features
          Why:   array ibox-a: connection refused
          To do: Check address, port, tls and ca_file of array ibox-a in millpond.yaml.
        """,
    ),
    Wrong(
        "full target pool",
        _fault(world="pool_full", cloud="ibox-b", name="pool-b1"),
        """
        Blocker: acme/pool/ibox-b:pool-b1 holds the whole tenant  [target_pool_full]
          pool pool-b1 has 0.0 GiB of physical space free
          Why:   a replica whose target pool is full is suspended by the array
          To do: enlarge the pool, or move fewer volumes at a time
        """,
        3,
    ),
    Wrong(
        "missing flavor",
        _state(servers=[{"name": "db-1", "flavor": "m9.huge"}]),
        """
        Blocker: acme/server/db-1 holds wave rest  [missing_flavor]
          the target has no flavor `m9.huge`
          Why:   tenants/acme.yaml:16:5 asks for it
          To do: create the flavor on the target, or name another one
        """,
        3,
    ),
    Wrong(
        "quota that is too small",
        _state(quotas={"cores": 2}),
        """
        Blocker: acme/quota/compute holds the whole tenant  [quota_too_small]
          quota `cores` is 2 on the target, the tenant needs 6
          Why:   its objects would be refused halfway
          To do: raise `quotas: {cores: 6}` in the manifest, or exclude objects
        """,
        3,
    ),
    Wrong(
        "journal that cannot be written",
        lambda stage, _: _journal(stage, "sqlite:////proc/nowhere/journal.db"),
        """
        Error: The journal cannot be used
          Where: /proc/nowhere/journal.db
          Why:   No such file or directory
          To do: Nothing more was sent. Make the place writable and free some space, or name another one
                 with `journal` in millpond.yaml.
        """,
    ),
)


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: wrong.name)
def test_one_clear_text_nothing_done_and_the_next_run_goes_on(stage: Stage, wrong: Wrong, monkeypatch: pytest.MonkeyPatch) -> None:
    stage.manifest["cutover"] = True
    stage.write()
    right = {path: path.read_text() for path in stage.directory.rglob("*") if path.is_file()}
    with monkeypatch.context() as patch:
        wrong.breaks(stage, patch)
        with stage.counted() as mutating:
            answer = millpond(stage.directory, "apply")
    told = dedent(wrong.told).strip()
    if wrong.code == 1:
        assert (answer.err.strip(), answer.out) == (told, "")
    else:
        assert told in answer.out
        assert "Held by 1 blocker, see above. When that is done:\n\n    millpond apply acme" in answer.out
        assert answer.err == ""
    assert answer.code == wrong.code
    assert mutating == []
    for path, text in right.items():
        path.write_text(text)
    stage.sandbox.control.clear_faults()
    mended = millpond(stage.directory, "plan", "--detailed-exitcode")
    assert (mended.code, "Blocker" in mended.out) == (2, False), mended.text


def test_all_that_is_wrong_in_the_documents_is_told_at_once(stage: Stage) -> None:
    stage.manifest |= {
        "waves": [{"name": "pilot", "servers": ["web-9"]}],
        "quotas": {"coers": 4},
        "exclude": [{"server": "db-2", "reason": "gone"}],
    }
    stage.write()
    answer = millpond(stage.directory, "validate")
    assert answer.code == 1
    assert "Error: The documents are not valid: 3 problems" in answer.err
    assert all(name in answer.err for name in ("`web-9`", "`coers`", "`db-2`", "did you mean `cores`?"))


LAYERS = {
    "decommission: yes": "`yes` is not the same to all readers",
    "decommission: no": "the key `decommission` is written twice",
    "cutovr: true": "unknown key `cutovr`",
    "waves: [{name: pilot, servers: [web-9]}]": "`web-9`",
    "quotas: {coers: 4}": "there is no quota `coers`",
    "brake_overrides: []": "`soak`",
}
"""A line of a manifest, and what is told of it: syntax, schema, references and flags."""


def test_what_is_wrong_in_different_ways_is_told_at_once(stage: Stage) -> None:
    stage.site_spec = {"fabric": {"driver": "nodriver"}}
    stage.write()
    stage.site_spec = {}
    path = stage.directory / "tenants/acme.yaml"
    text = path.read_text().replace("name: acme", "name: acne").replace("source-admin", "source-admim").replace("  cutover: false\n", "")
    path.write_text(text + "".join(f"  {line}\n" for line in LAYERS))
    answer = millpond(stage.directory, "validate")
    told = [*LAYERS.values(), "`metadata.name` is `acne`", "cloud `source-admim` is not configured", "no fabric driver is named `nodriver`"]
    assert answer.code == 1
    assert [words for words in told if words not in answer.err] == []
    assert "millpond.yaml:" in answer.err.partition("no fabric driver")[0].splitlines()[-2]


def test_a_value_that_its_schema_refuses_hides_neither_the_name_nor_the_clouds(stage: Stage) -> None:
    stage.manifest |= {"soak": "x", "target": {**TARGET, "cloud": "nowhere"}}
    stage.write()
    path = stage.directory / "tenants/acme.yaml"
    path.write_text(path.read_text().replace("name: acme\nspec", "name: acne\nspec"))
    answer = millpond(stage.directory, "validate")
    assert "Error: The documents are not valid: 3 problems" in answer.err
    assert all(words in answer.err for words in ("`spec.soak`", "`acne`", "cloud `nowhere` is not configured"))


def test_a_clouds_yaml_that_cannot_be_read_hides_no_problem_of_the_documents(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    (stage.directory / "clouds.yaml").write_text("clouds: [")
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(stage.directory / "clouds.yaml"))
    stage.write()
    alone = millpond(stage.directory, "validate")
    stage.manifest["cutovr"] = True
    stage.write()
    answer = millpond(stage.directory, "validate")
    assert (alone.code, "The file of the clouds cannot be read" in alone.err) == (1, True)
    assert (answer.code, "unknown key `cutovr`" in answer.err) == (1, True)


@pytest.mark.parametrize("verb", ["plan", "status", "apply", "report"])
def test_all_logins_that_fail_are_told_at_once(stage: Stage, verb: str, monkeypatch: pytest.MonkeyPatch) -> None:
    clouds = yaml.safe_load(stage.sandbox.clouds_yaml.read_text())
    for name in ("source-admin", "target-admin"):
        clouds["clouds"][name]["auth"]["password"] = "wrong"
    (stage.directory / "clouds.yaml").write_text(yaml.safe_dump(clouds))
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(stage.directory / "clouds.yaml"))
    (stage.directory / "password").write_text("wrong")
    stage.write()
    answer = millpond(stage.directory, verb)
    told = " ".join(answer.text.split())
    assert answer.code == 1
    assert [
        name
        for name in ("cloud source-admin", "cloud target-admin", "array ibox-a", "array ibox-b")
        if f"{name} refused the login" not in told
    ] == []


def test_both_clouds_that_are_not_configured_are_told_with_their_places(stage: Stage) -> None:
    stage.manifest |= {"source": {**SOURCE, "cloud": "old"}, "target": {**TARGET, "cloud": "new"}}
    stage.write()
    told = " ".join(millpond(stage.directory, "apply").err.split())
    assert [name for name in ("cloud old is not configured", "cloud new is not configured") if name not in told] == []
    assert told.count("tenants/acme.yaml:") == 2


@pytest.mark.parametrize("verb", ["plan", "validate", "status", "apply", "report"])
def test_a_fabric_driver_that_is_not_installed_is_told_with_its_place(stage: Stage, verb: str) -> None:
    stage.site_spec = {"fabric": {"driver": "provider-vln"}}
    stage.write()
    line = 1 + next(n for n, text in enumerate((stage.directory / "millpond.yaml").read_text().splitlines()) if "provider-vln" in text)
    answer = millpond(stage.directory, verb)
    assert (answer.code, f"millpond.yaml:{line}:13\n    no fabric driver is named `provider-vln`" in answer.err) == (1, True)
    assert "did you mean `provider-vlan`?" in answer.err


def test_an_array_whose_certificate_nobody_signed_is_refused_unless_its_ca_is_named(stage: Stage, tmp_path: Path) -> None:
    with terminated(stage.sandbox.host("ibox-a"), stage.sandbox.port, tmp_path / "ca.pem") as port:
        tls = {**stage._array("ibox-a"), "port": port, "tls": True}
        stage.site_spec = {"arrays": [tls, stage._array("ibox-b")]}
        stage.write()
        refused = millpond(stage.directory, "plan")
        stage.site_spec = {"arrays": [{**tls, "ca_file": "ca.pem"}, stage._array("ibox-b")]}
        stage.write()
        trusted = millpond(stage.directory, "plan", "--detailed-exitcode")
        stage.site_spec = {"arrays": [{**tls, "verify": False}, stage._array("ibox-b")]}
        stage.write()
        blind = millpond(stage.directory, "plan", "--detailed-exitcode")
    assert (refused.code, refused.err.strip()) == (1, UNTRUSTED)
    assert (trusted.code, trusted.err) == (0, "")
    assert "[tls_unverified]" not in trusted.out
    assert (blind.code, blind.err) == (0, "")
    assert "its certificate is not verified" in blind.out


def test_a_cloud_whose_certificate_nobody_signed_is_refused_unless_its_ca_is_named(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = stage.sandbox.host("target")
    stage.write()
    with terminated(host, stage.sandbox.port, tmp_path / "ca.pem") as port:
        answers = []
        for values in ({}, {"cacert": str(tmp_path / "ca.pem")}, {"verify": False}):
            clouds = yaml.safe_load(stage.sandbox.clouds_yaml.read_text())
            clouds["clouds"]["target-admin"] |= values
            clouds["clouds"]["target-admin"]["auth"]["auth_url"] = f"https://{host}:{port}/identity/v3"
            (tmp_path / "clouds.yaml").write_text(yaml.safe_dump(clouds))
            monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(tmp_path / "clouds.yaml"))
            answers.append(millpond(stage.directory, "plan", "--detailed-exitcode"))
    refused, trusted, blind = answers
    assert (refused.code, refused.err.strip()) == (1, UNTRUSTED_CLOUD)
    assert (trusted.code, trusted.err, "[tls_unverified]" in trusted.out) == (0, "", False)
    assert (blind.code, blind.err) == (0, "")
    assert "acme/cloud/target-admin  [tls_unverified]" in blind.out
    assert "its services' certificates are not verified" in blind.out


def test_a_cloud_may_stand_in_the_environment(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    own = yaml.safe_load(stage.sandbox.clouds_yaml.read_text())["clouds"]["source-admin"]
    for key, value in {**own["auth"], "region_name": own.get("region_name", "")}.items():
        if value:
            monkeypatch.setenv(f"OS_{key.upper()}", str(value))
    stage.manifest["source"] = {**stage.manifest["source"], "cloud": "envvars"}
    stage.write()
    answer = millpond(stage.directory, "plan", "--detailed-exitcode")
    assert (answer.code, answer.err) == (0, ""), answer.text
    assert "No changes." in answer.out


def test_secrets_may_stand_in_secure_yaml_alone(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    clouds = yaml.safe_load(stage.sandbox.clouds_yaml.read_text())
    secrets = {name: {"auth": {"password": cloud["auth"].pop("password")}} for name, cloud in clouds["clouds"].items()}
    stage.write()
    for variable, name, document in (("CONFIG", "clouds", clouds), ("SECURE", "secure", {"clouds": secrets})):
        (stage.directory / f"{name}.yaml").write_text(yaml.safe_dump(document))
        monkeypatch.setenv(f"OS_CLIENT_{variable}_FILE", str(stage.directory / f"{name}.yaml"))
    answer = millpond(stage.directory, "plan", "--detailed-exitcode")
    assert (answer.code, answer.err) == (0, ""), answer.text
    (stage.directory / "secure.yaml").write_text("clouds: {}")
    refused = millpond(stage.directory, "plan")
    assert (refused.code, refused.err.strip()) == (1, WITHOUT_PASSWORD)


WITHOUT_PASSWORD = "\n\n".join(
    f"""Error: The login was refused
  Where: {cloud}
  Why:   there is no password for cloud {cloud}
  To do: Add `password` to its auth in secure.yaml or clouds.yaml, or set OS_CLIENT_SECURE_FILE to
         the file that has it."""
    for cloud in ("source-admin", "target-admin")
)
UNTRUSTED_CLOUD = """Error: A service cannot be reached
  Where: target-admin: GET /identity/v3
  Why:   Keystone of cloud target-admin: its TLS certificate cannot be verified
  To do: Check auth_url, the network and cacert in clouds.yaml."""
UNTRUSTED = """Error: A service cannot be reached
  Where: ibox-a: GET /api/rest/_features
  Why:   array ibox-a: its TLS certificate cannot be verified
  To do: Check address, port, tls and ca_file of array ibox-a in millpond.yaml."""


@pytest.mark.parametrize("side", ["source", "target"])
def test_the_project_of_the_login_is_nobodys(stage: Stage, side: str) -> None:
    own = {"cloud": f"{side}-admin", "domain": "Default", "project": "admin"}
    stage.manifest |= {side: own}
    stage.write()
    verbs = [("plan",), ("drift",), *([("discover",)] if side == "source" else [])]
    with stage.counted() as mutating:
        for verb in verbs if side == "target" else [("discover",)]:
            answer = millpond(stage.directory, *verb)
            assert (answer.code, answer.out) == (1, "")
            assert "This project is not a tenant's" in answer.err
            assert f"{side}-admin: Default/admin" in answer.err
    assert mutating == []
