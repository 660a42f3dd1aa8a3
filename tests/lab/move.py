"""A tenant of the lab under way from one cloud to the other, and what was seen of it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.lab.access import Lab
from tests.lab.disks import Disk, Disks
from tests.lab.foundation import Cloud, connect
from tests.lab.planes import SOURCE, TARGET
from tests.lab.portrait import Portrait
from tests.lab.site import TARGET_DOMAIN, LabSite
from tests.lab.tenant import Tenant
from tests.sandbox.running import Control


@dataclass
class Move:
    """A tenant under way. `before`: its servers on the source before anything was done."""

    site: LabSite
    source: Cloud
    target: Cloud
    arrays: Control
    source_id: str
    before: Portrait

    def on_source(self) -> Portrait:
        return Portrait(self.source, self.source_id)

    def on_target(self) -> Portrait:
        return Portrait(self.target, self.target_id)

    @property
    def target_id(self) -> str:
        domain = self.target.identity.find_domain(TARGET_DOMAIN, ignore_missing=False)
        return str(self.target.identity.find_project(self.site.tenant, domain_id=domain.id, ignore_missing=False).id)

    def disks(self, side: str) -> Disks:
        if side == "source":
            return Disks(self.arrays, SOURCE.array, self.source, self.source_id)
        return Disks(self.arrays, TARGET.array, self.target, self.target_id)

    def boots(self) -> Counter[str]:
        """How often a server of each name was made in the target's project, deleted ones counted too."""
        found: Counter[str] = Counter()
        for deleted in (False, True):
            found.update(one.name for one in self.target.compute.servers(all_projects=True, project_id=self.target_id, deleted=deleted))
        return found

    def discover(self) -> None:
        answer = self.site.run("discover", self.site.tenant)
        assert answer.code == 0, answer.text

    def done(self) -> None:
        """Applies until nothing is left to do."""
        answer = self.site.apply()
        assert answer.code == 0, f"{self.site.log}:\n{answer.text[-4000:]}"


def begin(lab: Lab, arrays: Control, directory: Path, prefix: str, only_database: bool = False) -> Move:
    """A new tenant on the source, with a site directory. Its name is new each time: a lab may be played on again."""
    name = f"{prefix}-{int(time.time())}"
    Tenant(name).build(only_database)
    source = connect(SOURCE)
    project = source.identity.find_project(name, ignore_missing=False)
    site = LabSite(lab, name, directory / "site")
    return Move(site, source, connect(TARGET), arrays, project.id, Portrait(source, project.id))


@dataclass(frozen=True)
class Seen:
    """Both sides after a step, and the disks as the arrays had them."""

    move: Move
    source: Portrait
    target: Portrait
    source_disks: Mapping[str, Disk]
    target_disks: Mapping[str, Disk]


def look(move: Move) -> Seen:
    return Seen(move, move.on_source(), move.on_target(), move.disks("source").read(), move.disks("target").read())
