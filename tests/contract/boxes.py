"""The two arrays, through the product's own port and, for refusals, through infinisdk."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from infinisdk.core.exceptions import APICommandFailed

from millpond.model.array import ArrayVolume, Replica
from millpond.model.site import ArraySystem, Limits
from millpond.providers.access import Access
from millpond.providers.infinibox import InfiniBoxArray
from millpond.providers.ports import PairRequest
from tests.contract.coverage import Watched
from tests.contract.subject import Subject

PASSWORD = "123456"
PASSWORD_VARIABLE = "CONTRACT_ARRAY_PASSWORD"
GIB = 2**30


class Boxes:
    """`a` and `b`: the source's array and the target's, watched. `plain`: the same two by name, not watched."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self.tag = f"contract-{uuid4().hex[:8]}"
        self.seen: set[str] = set()
        self.plain: dict[str, InfiniBoxArray] = {}
        for name, (address, port) in subject.arrays.items():
            system = ArraySystem(name, address, "admin", port=port, tls=False, password_env=PASSWORD_VARIABLE)
            self.plain[name] = InfiniBoxArray(system, Access.WRITE, Limits(), Path(), lambda: self.plain)
            assert self.plain[name].clock()
        self.names = list(self.plain)
        self.a, self.b = (Watched(self.plain[name], "array", self.seen) for name in self.names)

    def name(self, what: str) -> str:
        return f"{self.tag}-{what}-{uuid4().hex[:6]}"

    def sdk(self, at: int) -> Any:
        """The vendor's own object of the source's array (0) or the target's (1)."""
        return self.plain[self.names[at]]._session.box

    def pool(self, at: int) -> Any:
        return min(self.plain[self.names[at]].pools(), key=lambda one: one.name)

    def volume(self, at: int, **fields: Any) -> int:
        """As Cinder's driver makes one."""
        body = {"name": self.name("volume"), "pool_id": self.pool(at).id, "size": GIB, "provtype": "THIN", **fields}
        return int(self.plain[self.names[at]]._session.send("post", "volumes", body)["id"])

    def shown(self, at: int, id: int) -> ArrayVolume:
        [found] = self.plain[self.names[at]].volumes([], [id])
        return found

    def settled(self, array: Any, id: int) -> Replica:
        """The replica's side on `array` when no job runs or waits."""

        def quiet() -> Replica | None:
            [found] = [one for one in array.replicas() if one.id == id]
            return None if found.initial or found.job_running or found.pending else found

        return self.subject.eventually(quiet, f"replica {id} is quiet")

    def pair_of_groups(self, count: int = 2) -> tuple[int, list[int], list[int]]:
        """A replica of a consistency group onto volumes that are there already: its id on the source, the volumes of both sides."""
        volumes = [[self.volume(at) for _ in range(count)] for at in (0, 1)]
        groups = [array.create_group(self.name("group"), self.pool(at).name) for at, array in enumerate((self.a, self.b))]
        for at, array in enumerate((self.a, self.b)):
            for id in volumes[at]:
                array.add_member(groups[at], id)
        members = tuple((local, remote, self.name("remote")) for local, remote in zip(*volumes, strict=True))
        replica = self.a.pair(PairRequest(members, self.names[1], self.pool(1).name, 300, 600, groups[0], groups[1]))
        return replica, volumes[0], volumes[1]

    def refused(self, status: int, code: str, call: Callable[[], Any]) -> None:
        with pytest.raises(APICommandFailed) as caught:
            call()
        assert (caught.value.status_code, caught.value.error_code) == (status, code)

    def sweep(self) -> None:
        """What bears this run's tag goes, replicas first."""
        ours = [{row.id for row in self.tagged(at)} for at in (0, 1)]
        for at, name in enumerate(self.names):
            array = self.plain[name]
            for replica in array.replicas():
                if replica.role.value == "SOURCE" and {one.local_id for one in replica.pairs} & ours[at]:
                    array.unpair(replica.id)
        for at, name in enumerate(self.names):
            array = self.plain[name]
            for group in array.groups():
                if group.name.startswith(self.tag):
                    array.delete_group(group.id)
            for volume in sorted(self.tagged(at), key=lambda one: one.id, reverse=True):
                array.delete_volume(volume.id)

    def tagged(self, at: int) -> list[Any]:
        rows = self.plain[self.names[at]]._session.rows("volumes", ["id", "name"])
        ids = [row["id"] for row in rows if row["name"].startswith(self.tag)]
        return list(self.plain[self.names[at]].volumes([], ids))
