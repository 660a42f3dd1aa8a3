"""Pages as text: self-contained, escaped, complete."""

import re
from dataclasses import replace
from datetime import timedelta
from html import unescape
from importlib.resources import files
from itertools import product

import pytest

from millpond.model.change import FieldChange
from millpond.model.plan import Stage
from millpond.reporting.drift_report import DriftReport
from millpond.reporting.html.page import DriftPage, report_page
from millpond.reporting.html.phases import Phase
from millpond.reporting.html.render import drift_html, report_html
from tests.reporting import examples

from . import pages

STYLE = files("millpond.reporting.html").joinpath("templates/style.css").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page() -> str:
    return report_html(pages.fleet())


def test_nothing_is_fetched_and_nothing_runs(page: str) -> None:
    assert not re.findall(r"(?:src|href)=\"(?!#)[^\"]*\"", page)
    assert not re.findall(r"<(?:script|link|iframe|object|embed|img)\b", page)
    assert "url(" not in STYLE
    assert "@import" not in STYLE


def test_an_outage_that_a_run_works_on_is_left_to_that_run() -> None:
    acme, *_ = pages.facts()
    busy = replace(acme, at_work="run 20261201T115500Z-3f2a9c of ada@runner-1 works on it")
    text = told(report_html(report_page("north", pages.NOON, "0.1.0", [busy])))
    assert "A run is at work on acme and goes on by itself." in text
    assert "To continue" not in text
    free = replace(acme, plan=replace(acme.plan, findings=()))
    assert "To continue: millpond apply acme" in told(report_html(report_page("north", pages.NOON, "0.1.0", [free])))


def test_an_outage_that_is_held_says_so() -> None:
    acme, *_ = pages.facts()
    blocked = replace(examples.UNDECIDED, wave="")
    held = replace(acme, plan=replace(acme.plan, steps=(), findings=(blocked,)))
    text = told(report_html(report_page("north", pages.NOON, "0.1.0", [held])))
    assert "apply cannot continue before a person has done what the blocker says" in text
    assert "To continue" not in text


def test_an_outage_names_who_is_down_of_how_many() -> None:
    acme, *_ = pages.facts()
    names = tuple(f"acme/server/web-{n}" for n in range(1, 9))
    down = replace(examples.CUT_SHORT, outage_since="2026-12-01T11:58:20+00:00", servers=names, down=names[:7])
    text = told(report_html(report_page("north", pages.NOON, "0.1.0", [replace(acme, plan=replace(acme.plan, waves=(down,)))])))
    said = "7 of 8 servers of wave core are down since 2026-12-01 11:58:20 UTC: web-1 , web-2 , web-3 , web-4 , web-5 and 2 more."
    assert said in text


def test_an_outage_that_goes_on_is_as_long_as_it_is_by_now() -> None:
    acme, *_ = pages.facts()
    made = pages.STUCK.began + timedelta(minutes=10)
    text = told(report_html(report_page("north", made, "0.1.0", [replace(acme, cutovers=(pages.OVER, pages.BACK))])))
    assert "Longest outage 10 min" in text


def test_names_do_nothing(page: str) -> None:
    assert pages.HOSTILE not in page
    assert pages.HOSTILE in unescape(page)


def told(page: str) -> str:
    """What is read of a page."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())


def test_all_that_was_collected_is_there(page: str) -> None:
    text = told(page)
    for part in (
        "Migrations of north",
        "umbrella could not be read. The login was refused: rhosp17 answered 401 for user millpond",
        "Outage in progress. 1 of 1 server of wave pilot is down since 2026-12-01 11:58:20 UTC: bastion .",
        "rest seeding 59 min 2026-12-01 21:00:00 UTC to 2026-12-02 01:00:00 UTC 1 2 h 412.0 GiB 118.2 MiB/s",
        "Run 20261201T115500Z-3f2a9c of ada@runner-1 works on it since 2026-12-01 11:55:00 UTC. Digest",
        "No run is at work on it. Digest",
        "Wave core went over, 2026-12-01 12:00",
        "Wave pilot is coming back, 2026-12-01 12:00",
        "the longest outage was that of db-1: 1 min 4 s (expected: 1 min 12 s)",
        "db-1 boots 41 s 22 s 27 s",
        "Outage of each server; times are of 2026-12-01",
        "web-1 42 s 52 s 12:00:00 to 12:00:42: waited for shutdown 8.2 s, db-1: shutdown 6.1 s, last sync 9.4 s,",
        "12:00:00 to now, still down: waited for",
        "cutover is false, but cut 20261130T220000Z of this wave has declared boots on the target",
        "target_writes: carry_back",
        "flavor of 7 servers: web-1 , web-2 , web-3 , web-4 , web-5 2 more that differ in: flavor web-6 , web-7 the site file maps it",
        "server old-build-box rebuilt by its owner",
        "0b1c0f6e-6ec4-4a5a-9c55-4b7b0a1f8f10 a97d1b52-0a3e-4a0e-8f4b-5a4f2bb2a0f7",
        "none yet",
        "Target drift: objects that were handed over",
        'acme/server/bastion has changed flavor "m1.small" "m1.medium"',
        "acme/volume/scratch is not in the inventory",
    ):
        assert part in text, part


def test_drift_is_told_by_side_and_field() -> None:
    text = told(drift_html(pages.drift()))
    for part in (
        "Drift of north",
        "Blockers ▲ 1 Drift on the source 1",
        "Blocker acme/wave/pilot holds wave pilot [rollback_undecided]",
        "Drift on the source 1 Drift on the target 3 Waves too far behind ▲ 1",
        "umbrella could not be compared. The login was refused",
        "the source is no longer what the inventory says; millpond discover reads it anew",
        'acme/security_group/web has changed rules {"port": 22} {"port": 80} and 1 as before description "Web" -',
        f"acme/server/{pages.HOSTILE} is gone from the target",
        "globex rest no, at most 10 min 2 h 412.0 GiB seeding",
        "acme core yes 43 s - in sync",
    ):
        assert part in text, part


def test_a_list_of_which_something_only_went_says_what_is_left() -> None:
    went = replace(examples.DRIFT[0], fields=(FieldChange("ports", [22, 80, 443], [80, 443]),))
    text = told(drift_html(DriftPage("north", DriftReport(examples.plan(replace(examples.QUIET, drift=(went,)))))))
    assert "ports 22 2 as before" in text


def test_columns_in_which_nothing_stands_are_left_out() -> None:
    text = told(report_html(report_page("north", pages.NOON, "0.1.0", pages.facts()[2:])))
    assert "Wave Phase Servers Cut pilot handed over 1 20261130T220000Z" in text
    assert "Was" not in told(drift_html(DriftPage("north", DriftReport(examples.plan(replace(examples.ACME, drift=examples.DRIFT[1:]))))))


def test_more_than_none_is_told_apart_by_more_than_a_colour() -> None:
    assert 'Blockers</dt><dd><span class="bad"><span aria-hidden="true">▲ </span>1</span>' in report_html(pages.fleet())
    assert "Blockers</dt><dd>0</dd>" in report_html(report_page("north", pages.NOON, "0.1.0", pages.facts()[2:]))


def test_what_was_handed_over_counts_whatever_holds_its_wave_since() -> None:
    held = replace(examples.PILOT, stage=Stage.HELD, phase="held: a person must decide", verified=examples.PILOT.servers)
    waves = (held, examples.CORE)
    (part,) = report_page("north", pages.NOON, "0.1.0", [replace(pages.facts()[0], plan=replace(examples.ACME, waves=waves))]).tenants
    assert (part.arrived, part.servers) == (1, 3)


def test_what_an_apply_would_do_is_told_by_kind(page: str) -> None:
    text = told(page)
    assert "What an apply would do 4 to add, 4 to change, 1 to destroy: 11 steps on 8 resources." in text
    assert "security group 0 1 0 0" in text
    assert "Nothing at once. Waiting: " in text
    assert "Nothing: no change is left." in text


def test_no_drift_is_said() -> None:
    quiet = DriftReport(examples.plan(examples.QUIET))
    assert "<p>No drift.</p>" in drift_html(DriftPage("north", quiet))


def test_one_tenant_needs_no_table_of_tenants() -> None:
    page = report_html(pages.report_page("north", pages.NOON, "0.1.0", pages.facts()[1:2]))
    assert "<h1>Migration of globex</h1>" in page
    assert 'id="tenants"' not in page


def test_a_site_without_tenants_has_a_page() -> None:
    assert "Migrations of north" in report_html(pages.report_page("north", pages.NOON, "0.1.0", ()))


def test_every_id_is_there_once(page: str) -> None:
    ids = re.findall(r"\bid=\"([^\"]+)\"", page)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r"href=\"#([^\"]+)\"", page)) <= set(ids)


def palettes() -> list[dict[str, str]]:
    """Light, dark and print, each laid over the first."""
    found = [dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", block)) for block in re.findall(r":root \{(.*?)\}", STYLE, re.DOTALL)]
    return [{**found[0], **palette} for palette in found]


def luminance(colour: str) -> float:
    """WCAG 2.2, relative luminance."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, two: str) -> float:
    light, dark = sorted((luminance(one), luminance(two)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_colours_can_be_read_in_every_palette() -> None:
    """Text 4.5 to 1, what must be seen of a picture 3 to 1 (WCAG 2.2, 1.4.3 and 1.4.11)."""
    assert len(palettes()) == 3
    for palette in palettes():
        for ink, ground in product(("ink", "soft", "link", "good", "warn", "bad", "plain"), ("ground", "raised")):
            assert contrast(palette[ink], palette[ground]) >= 4.5, (ink, ground, palette)
        assert contrast(palette["edge"], palette["ground"]) <= 3.2, "where a table goes on there is a shade, no bar"
        for phase in Phase:
            bar = palette[phase.name.lower()]
            assert contrast(palette["on-bar"], bar) >= 4.5, (phase, palette)
            assert contrast(bar, palette["raised"]) >= 3, (phase, palette)
