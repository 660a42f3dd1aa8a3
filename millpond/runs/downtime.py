"""Plans that are only shown, with what the site's journal knows of outages that go on."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from millpond.execution.journal import Journal
from millpond.execution.outages import stops_of
from millpond.execution.store import JournalUnusable, is_there
from millpond.model.desired import Desired
from millpond.model.plan import TenantPlan
from millpond.model.site import Site
from millpond.model.snapshot import Snapshot
from millpond.planning.downtime import dated


def dated_by_journal(site: Site, desired: Desired, snapshot: Snapshot, plan: TenantPlan) -> TenantPlan:
    """As it is where no server is down, or no journal can be read."""
    directory = Path(site.directory)
    if not any(wave.down for wave in plan.waves) or not is_there(site.journal, directory):
        return plan
    try:
        with closing(Journal.open(site.journal, directory)) as journal:
            entries = journal.entries(desired.tenant)
    except JournalUnusable:
        return plan
    return dated(desired, snapshot, plan, stops_of(entries))
