"""Which methods of the ports a test drives against the subject, promised beforehand and checked afterwards.

The promise is known when the tests are collected, so that it can be compared with the ports' whole list however the tests are spread.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import pytest

Test = TypeVar("Test", bound=Callable[..., Any])
PROMISED: set[str] = set()
NEUTRON_WRITES = ("create", "update", "delete", "set_tags")
PORTS = ("identity", "compute", "block_storage", "network", "image")


def covers(*methods: str) -> Callable[[Test], Test]:
    """`compute.servers`; of Neutron's four generic writes with the kind: `network.create port`."""
    PROMISED.update(methods)
    mark = pytest.mark.covers(*methods)
    return lambda test: mark(test)


class Watched:
    """A port that remembers which of its methods were called."""

    def __init__(self, port: Any, name: str, seen: set[str]) -> None:
        self._port = port
        self._name = name
        self._seen = seen

    def __getattr__(self, method: str) -> Any:
        function = getattr(self._port, method)

        def called(*arguments: Any, **keywords: Any) -> Any:
            kind = f" {arguments[0]}" if self._name == "network" and method in NEUTRON_WRITES else ""
            self._seen.add(f"{self._name}.{method}{kind}")
            return function(*arguments, **keywords)

        return called


class WatchedCloud:
    """The port `Cloud`, its services watched."""

    identity: Any
    compute: Any
    block_storage: Any
    network: Any
    image: Any

    def __init__(self, cloud: Any, seen: set[str]) -> None:
        self.user_id: str = cloud.user_id
        self.project_id: str = cloud.project_id
        for name in PORTS:
            setattr(self, name, Watched(getattr(cloud, name), name, seen))
