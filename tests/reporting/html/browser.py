"""A page in Chromium, as people with and without a screen see it. With MILLPOND_SCREENSHOTS=DIR it leaves pictures there."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "chrome")
MISSING = "no Chromium is installed (Debian: apt-get install chromium): pages were not looked at"
LOOKS: dict[str, tuple[int, Literal["light", "dark"], Literal["screen", "print"]]] = {
    "light": (1280, "light", "screen"),
    "dark": (1280, "dark", "screen"),
    "narrow": (390, "light", "screen"),
    "narrow-dark": (390, "dark", "screen"),
    "print": (700, "dark", "print"),
}
"""Width in pixels, the colours that the person prefers, and the medium."""


def program() -> str:
    """The path of a Chromium, or empty."""
    named = os.environ.get("MILLPOND_CHROMIUM", "")
    return named or next((found for name in PROGRAMS if (found := shutil.which(name))), "")


@contextmanager
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program())
        yield browser
        browser.close()


@dataclass
class Opened:
    """A page that is open. `asked` holds every address that was asked for, the page's own included."""

    page: Page
    asked: list[str] = field(default_factory=list)

    def complaints(self) -> list[str]:
        """What axe-core finds, as `rule: elements`. It judges no text on a gradient: edges that fade are put aside meanwhile."""
        fades = "hidden => document.querySelectorAll('.scroll').forEach(each => each.style.backgroundImage = hidden ? 'none' : '')"
        self.page.evaluate(fades, True)
        found: list[dict[str, Any]] = Axe().run(self.page).response["violations"]
        self.page.evaluate(fades, False)
        return [f"{one['id']}: {[node['html'][:120] for node in one['nodes'][:5]]}" for one in found]

    def overflow(self) -> int:
        """Pixels by which the page is wider than its window."""
        return int(self.page.evaluate("document.documentElement.scrollWidth - innerWidth"))

    def unfold(self) -> None:
        self.page.evaluate("document.querySelectorAll('details').forEach(fold => fold.open = true)")

    def cut_off(self, selector: str) -> list[str]:
        """The texts of elements that reach beyond the window, or beyond what scrolls around them."""
        script = """selector => [...document.querySelectorAll(selector)].filter(element => {
            const around = (element.closest('.scroll') ?? document.documentElement).getBoundingClientRect(), own = element.getBoundingClientRect();
            return own.width > 0 && (own.right > around.right + 1 || own.left < around.left - 1);
        }).map(element => element.textContent)"""
        return list(self.page.evaluate(script, selector))

    def focused(self) -> str:
        return str(self.page.evaluate("document.activeElement.className || document.activeElement.tagName"))

    def picture(self, name: str) -> None:
        if directory := os.environ.get("MILLPOND_SCREENSHOTS"):
            self.page.screenshot(path=Path(directory) / f"{name}.png", full_page=True)


@contextmanager
def opened(browser: Browser, file: Path, look: str) -> Iterator[Opened]:
    width, scheme, medium = LOOKS[look]
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    found = Opened(page)
    page.on("request", lambda request: found.asked.append(request.url))
    page.goto(file.as_uri())
    page.emulate_media(media=medium)
    yield found
    context.close()
