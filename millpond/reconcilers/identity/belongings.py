"""What the source project owns beside what is migrated, and what nobody asks before Keystone deletes it: images and backups of volumes."""

from __future__ import annotations

from collections.abc import Callable

from millpond.model.snapshot import Facts
from millpond.providers.ports import Providers
from millpond.providers.together import together
from millpond.reconcilers.base import Scope


class Belongings:
    """Read where the manifest wants the source decommissioned, and nowhere else."""

    KIND = "belonging"
    READS_AFTER: tuple[str, ...] = ()

    def observe(self, providers: Providers, scope: Scope) -> Facts:
        if not scope.source:
            return Facts()
        image, storage, project = providers.source.image, providers.source.block_storage, scope.source_project
        reads: dict[str, Callable[[], object]] = {
            "images": lambda: image.images(project),
            "volume_backups": lambda: storage.backups(project),
        }
        return Facts(source=dict(zip(reads, together(list(reads.values())), strict=True)))


BELONGINGS = Belongings()
