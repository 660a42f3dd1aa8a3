"""A plan on the request by accounts that may only read, and what apply says of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.pipelines.site import reading, secrets, write_manifest, write_site
from tests.sandbox.running import Sandbox
from tests.story.command import Answer, millpond


@pytest.fixture
def site(small: Sandbox, seeded: str, tmp_path: Path) -> Path:
    small.control.restore(seeded)
    write_site(tmp_path, small)
    write_manifest(tmp_path)
    return tmp_path


class Desk:
    """Runs Millpond with the variables of one kind of job."""

    def __init__(self, site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.site, self.monkeypatch = site, monkeypatch

    def run(self, accounts: dict[str, str], *words: str) -> Answer:
        for name, value in {**accounts, "OS_CLIENT_CONFIG_FILE": accounts["CLOUDS"]}.items():
            self.monkeypatch.setenv(name, value)
        return millpond(self.site, *words)


@pytest.fixture
def desk(site: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    return Desk(site, monkeypatch)


def test_they_read_all_that_an_administrator_reads(small: Sandbox, desk: Desk) -> None:
    reader, admin = reading(small), secrets(small)
    assert desk.run(reader, "discover", "acme").code == 0
    plans = [desk.run(accounts, "plan") for accounts in (reader, admin)]
    assert plans[0].code == 0
    assert plans[0].out == plans[1].out
    assert "Plan: 26 to add" in plans[0].out
    for verb in ("status", "drift", "report"):
        assert desk.run(reader, verb).code == 0


@pytest.mark.parametrize("only", ["CLOUDS", "IBOX_USER"])
def test_apply_with_one_of_them_says_so_at_once(only: str, small: Sandbox, desk: Desk) -> None:
    reader, admin = reading(small), secrets(small)
    assert desk.run(admin, "discover", "acme").code == 0
    small.control.clear_requests()
    wrong = {**admin, "CLOUDS": reader["CLOUDS"]} if only == "CLOUDS" else {**reader, "CLOUDS": admin["CLOUDS"]}
    refused = desk.run(wrong, "apply")
    assert refused.code == 1
    assert refused.err.startswith("Error: This account may only read\n"), refused.text
    assert "nothing was sent" in refused.err
    assert small.control.mutating() == []
    assert "no run is at work on it" in desk.run(reader, "status").out
