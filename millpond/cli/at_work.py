"""Who works on which tenant now, as the journal's leases say."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from millpond.model.site import Site


def at_work(site: Site) -> dict[str, str]:
    """tenant → who works on it now, in words. A journal that nobody has written yet is not made."""
    from millpond.execution.lease import holders
    from millpond.execution.store import is_there, open_store
    from millpond.reporting.amounts import moment

    directory = Path(site.directory)
    if not is_there(site.journal, directory):
        return {}
    engine = open_store(site.journal, directory)
    try:
        found = holders(engine)
    finally:
        engine.dispose()
    return {
        tenant: f"run {held.run} of {held.who} works on it since {moment(held.since)}{' in ' + held.ci if held.ci else ''}"
        for tenant, held in found.items()
    }
