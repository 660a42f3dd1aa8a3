"""Guests that write to their disks for as long as they run."""

from __future__ import annotations

from threading import Event, Thread
from types import TracebackType
from typing import Self

import requests

from tests.sandbox.running import Control, Sandbox
from tests.story.stage import Stage

PAUSE = 0.003


class Guests:
    """Every server of the source writes, from `with` to its end or until it has stopped.

    `contents`: source volume id → what the disk held after the last write that was accepted. `refused`: servers that could write no more.
    """

    def __init__(self, stage: Stage) -> None:
        self.contents: dict[str, str] = {}
        self.refused: set[str] = set()
        self._sandbox: Sandbox = stage.sandbox
        self._servers = [row["id"] for row in stage.rows("source/nova/servers") if row["power_state"] == 1 and row["volumes"]]
        self._over = Event()
        self._thread = Thread(target=self._write, name="guests")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None) -> None:
        self._over.set()
        self._thread.join()

    def _write(self) -> None:
        control = Control(self._sandbox.urls["control"])
        number = 0
        while not self._over.wait(PAUSE) and len(self.refused) < len(self._servers):
            for server in self._servers:
                number += 1
                self._once(control, server, f"write {number}")

    def _once(self, control: Control, server: str, data: str) -> None:
        if server in self.refused:
            return
        try:
            self.contents |= control.write(cloud="source", server_id=server, data=data)["volumes"]
        except requests.HTTPError as error:
            if error.response.status_code != 409:
                raise
            self.refused.add(server)
