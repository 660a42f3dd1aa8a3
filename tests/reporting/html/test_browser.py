"""The pages in a browser: nothing asked of a network, nothing that axe-core complains of, at every width, on paper, by keyboard."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from millpond.reporting.html.render import drift_html, report_html

from . import pages
from .browser import LOOKS, MISSING, chromium, opened, program

pytestmark = pytest.mark.skipif(not program(), reason=MISSING)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


PAGES = {"report": report_html(pages.fleet()), "drift": drift_html(pages.drift())}


@pytest.mark.parametrize("name", PAGES)
def test_the_page_serves_everybody(browser: Browser, tmp_path: Path, name: str) -> None:
    file = tmp_path / f"{name}.html"
    file.write_text(PAGES[name], encoding="utf-8")
    for look in LOOKS:
        with opened(browser, file, look) as found:
            found.picture(f"{name}-{look}")
            assert found.complaints() == [], look
            assert found.overflow() <= 0, look
            found.unfold()
            found.picture(f"{name}-{look}-unfolded")
            assert found.complaints() == [], look
            assert found.overflow() <= 0, look
            assert found.asked == [file.as_uri()], look


@pytest.mark.parametrize("look", ["light", "narrow", "print"])
def test_what_decides_is_seen_without_scrolling(browser: Browser, tmp_path: Path, look: str) -> None:
    """Names and numbers of pictures, outages, verdicts, and what they are of."""
    for name, selectors in {
        "report": (".who", ".took", ".bars", ".axis text", "td.under", ".badge", ".bad", "tr.group > *", "td > p"),
        "drift": ("strong.bad", ".bad", "tr.group > *", "table.even td"),
    }.items():
        file = tmp_path / f"{name}.html"
        file.write_text(PAGES[name], encoding="utf-8")
        with opened(browser, file, look) as found:
            found.unfold()
            for selector in selectors:
                assert found.page.locator(selector).count(), selector
                assert found.cut_off(selector) == [], selector


@pytest.mark.parametrize("look", LOOKS)
def test_bars_lie_on_their_axis(browser: Browser, tmp_path: Path, look: str) -> None:
    file = tmp_path / "report.html"
    file.write_text(PAGES["report"], encoding="utf-8")
    edges = "elements => elements.map(each => each.getBoundingClientRect()).flatMap(each => [each.left, each.width])"
    with opened(browser, file, look) as found:
        picture = found.page.locator(".picture").first
        axis = picture.locator(".axis").evaluate_all(edges)
        for bars in range(picture.locator(".bars").count()):
            assert picture.locator(".bars").nth(bars).evaluate_all(edges) == pytest.approx(axis, abs=0.5)


def test_values_do_not_break_within_a_word_on_a_phone(browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "drift.html"
    file.write_text(PAGES["drift"], encoding="utf-8")
    lines = "element => element.getClientRects().length"
    with opened(browser, file, "narrow") as found:
        for value in ('"m1.small"', '"m1.medium"', '{"port": 22}'):
            assert found.page.locator("td code", has_text=value).evaluate(lines) == 1, value


def test_a_table_that_goes_on_shows_it(browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    file.write_text(PAGES["report"], encoding="utf-8")
    with opened(browser, file, "narrow") as found:
        table = found.page.locator(".scroll", has_text="118.2 MiB/s").last
        assert table.evaluate("element => element.scrollWidth > element.clientWidth")
        assert table.evaluate("element => getComputedStyle(element).backgroundAttachment") == "local, local, scroll, scroll"
        ground = found.page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
        caption = "getComputedStyle(element.querySelector('caption'))"
        assert table.evaluate(f"element => {caption}.backgroundColor") == ground, "the shade begins below what the table is called"


def test_what_is_folded_is_printed(browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    file.write_text(PAGES["report"], encoding="utf-8")
    shown = "element => element.checkVisibility({contentVisibilityAuto: true})"
    with opened(browser, file, "light") as found:
        ids = found.page.get_by_text("0b1c0f6e-6ec4-4a5a-9c55-4b7b0a1f8f10")
        assert not ids.evaluate(shown)
        found.page.emulate_media(media="print")
        assert ids.evaluate(shown)
        assert ids.evaluate("element => element.getBoundingClientRect().height") > 0


def test_a_keyboard_reaches_everything(browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    file.write_text(PAGES["report"], encoding="utf-8")
    with opened(browser, file, "light") as found:
        found.page.keyboard.press("Tab")
        assert found.focused() == "skip"
        reached = set()
        for _ in range(40):
            found.page.keyboard.press("Tab")
            reached.add(found.focused())
        assert {"scroll", "SUMMARY", "A", "PRE"} <= reached
        found.page.locator("summary").first.focus()
        found.page.keyboard.press("Enter")
        assert found.page.locator("details").first.evaluate("element => element.open")
