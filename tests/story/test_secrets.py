"""Canaries: what is secret goes through a whole story and stands in no file and no output of it."""

from __future__ import annotations

import base64
import io
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.sandbox.conftest import connect
from tests.story.command import Answer, millpond
from tests.story.stage import PASSWORD, Stage
from tests.story.worlds import INVENTORY

CANARY = "c4n4ry-of-the-guest"
USER_DATA = base64.b64encode(f"#cloud-config\npassword: {CANARY}\n".encode()).decode()


def hire(stage: Stage) -> None:
    """A server of the tenant with user data."""
    alice = connect(stage.sandbox, "source-acme")
    network, flavor = alice.network.find_network("app"), alice.compute.find_flavor("m1.volume")
    assert network is not None
    assert flavor is not None
    port = alice.network.create_port(network_id=network.id, name="canary-eth0")
    volume = alice.block_storage.wait_for_status(alice.block_storage.create_volume(size=1, name="canary"), "available", interval=0.05)
    alice.block_storage.set_volume_bootable_status(volume.id, True)
    disk = {"uuid": volume.id, "source_type": "volume", "destination_type": "volume", "boot_index": 0}
    server = alice.compute.create_server(
        name="canary", flavor_id=flavor.id, networks=[{"port": port.id}], block_device_mapping=[disk], user_data=USER_DATA
    )
    alice.compute.wait_for_server(server, interval=0.05)


@contextmanager
def everything_logged() -> Iterator[io.StringIO]:
    """What Millpond and the SDKs would log if somebody asked for all of it."""
    text, root = io.StringIO(), logging.getLogger()
    listening, level = logging.StreamHandler(text), root.level
    root.addHandler(listening)
    root.setLevel(logging.DEBUG)
    try:
        yield text
    finally:
        root.removeHandler(listening)
        root.setLevel(level)


def tokens(stage: Stage) -> set[str]:
    return {row["id"] for cloud in ("source", "target") for row in stage.rows(f"{cloud}/keystone/token")}


class Story:
    def __init__(self, stage: Stage) -> None:
        self.stage, self.told, self.tokens = stage, [""], set[str]()

    def does(self, *words: str, code: int = 0) -> Answer:
        self.stage.write()
        answer = millpond(self.stage.directory, *words)
        self.told.append(answer.text)
        assert answer.code == code, (words, answer.text)
        return answer

    def settles(self) -> None:
        self.tokens |= tokens(self.stage)
        self.does("apply")
        self.told.append(str(self.stage.settle().outcomes))
        self.does("plan")

    def is_told(self) -> None:
        for words in (("plan", "-o", "plan.json"), ("plan", "--format", "json"), ("show", "plan.json"), ("status",), ("report",)):
            self.does(*words)


def kept(directory: Path) -> dict[str, bytes]:
    """Every file of the site but the one that is there to hold a password."""
    return {str(path): path.read_bytes() for path in directory.rglob("*") if path.is_file() and path.name != "password"}


def test_no_secret_is_in_any_file_or_output(untouched: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IBOX_PASSWORD", "c4n4ry-of-the-pipeline")
    hire(untouched)
    story, control = Story(untouched), untouched.sandbox.control
    with everything_logged() as log:
        story.does("discover", "acme")
        story.settles()
        untouched.manifest["cutover"] = True
        quoted = {"badRequest": {"code": 400, "message": f"Invalid input for field user_data: '{USER_DATA}' is too odd"}}
        refusal = {"action": {"status": 400, "body": quoted}, "cloud": "target", "service": "nova", "method": "POST"}
        control.fault(path="/servers$", count=0, **refusal)
        assert "Invalid input for field user_data: (sensitive value) is too odd" in " ".join(story.does("apply", code=1).out.split())
        control.clear_faults()
        story.is_told()
        story.settles()
        untouched.manifest |= {"cutover": False, "rollback": {"cut": untouched.cut(), "target_writes": "discard"}}
        story.settles()
        story.is_told()
        (untouched.directory / "password").write_text("c4n4ry-of-the-array")
        story.does("plan", code=1)
    assert "user_data" in (untouched.directory / INVENTORY).read_text()
    places = {**kept(untouched.directory), "output": "".join(story.told).encode(), "log": log.getvalue().encode()}
    assert any(name.endswith("journal.db") for name in places)
    assert len(places["output"]) > 10_000
    secrets = {CANARY, USER_DATA, "admin-secret", "alice-secret", "c4n4ry", *story.tokens}
    assert len(story.tokens) > 4
    found = {(secret, name) for secret in secrets for name, content in places.items() if secret.encode() in content}
    assert found == set()
    alone = re.compile(rf"(?<![\w.]){PASSWORD}(?![\w.])".encode())
    assert [name for name, content in places.items() if alone.search(content)] == []
    assert [name for name, content in places.items() if b"PRIVATE KEY" in content or b"JSESSIONID=" in content] == []
