"""A service that asks to be left alone for a while is left alone that long, for what may be sent again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest
import requests

from millpond.model.site import Limits
from millpond.providers import transport
from millpond.providers.access import Access
from millpond.providers.transport import Transport


class Busy(BaseHTTPRequestHandler):
    """Says so `times`, and asks for a pause."""

    status, pause, times, asked = 429, "", 1, 0

    def do_GET(self) -> None:
        type(self).asked += 1
        busy = self.asked <= self.times
        self.send_response(self.status if busy else 200)
        if busy and self.pause:
            self.send_header("Retry-After", self.pause)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, *_words: object) -> None:
        pass


@contextmanager
def served(busy: type[Busy]) -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), busy)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def asked(method: str, slept: list[float], patch: pytest.MonkeyPatch, **busy: object) -> tuple[int, int]:
    """The status in the end, and how often it was asked."""
    patch.setattr("millpond.providers.transport.time.sleep", slept.append)
    kind = type("Asked", (Busy,), busy)
    session = requests.Session()
    Transport("cloud", Access.WRITE, Limits()).seal(session)
    with served(kind) as url:
        status = session.request(method, f"{url}/servers").status_code
    return status, kind.asked  # type: ignore[attr-defined]


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("pause", "waited"),
    [("", 0.2), ("0", 0.2), ("3", 3.0), ("86400", transport.LONGEST_PAUSE), ("Wed, 21 Oct 2026 07:28:00 GMT", 0.2), ("-5", 0.2)],
)
def test_a_read_waits_as_long_as_it_is_asked_to(monkeypatch: pytest.MonkeyPatch, status: int, pause: str, waited: float) -> None:
    slept: list[float] = []
    assert asked("GET", slept, monkeypatch, status=status, pause=pause) == (200, 2)
    assert slept == [waited]


def test_a_read_gives_up_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    assert asked("GET", slept, monkeypatch, status=503, pause="1", times=99) == (503, 1 + len(transport.PAUSES))
    assert slept == [1.0, 1.0, 1.8]


def test_a_write_is_sent_once(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    assert asked("POST", slept, monkeypatch, status=429, pause="1") == (429, 1)
    assert slept == []
