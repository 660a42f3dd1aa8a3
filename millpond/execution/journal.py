"""Append-only evidence of what was going to be done and what became of it. Never the source of truth."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Engine, RowMapping, insert, literal, select

from millpond.errors import LeaseHeld
from millpond.execution.redaction import redact
from millpond.execution.run import Run
from millpond.execution.store import guarded, open_store
from millpond.execution.tables import EXPECTATIONS, INTENTS, LEASES, OUTAGES, OUTCOMES, RUNS
from millpond.model.change import Change
from millpond.model.cutover import Expectation, Outage
from millpond.model.outcome import Outcome, Result
from millpond.schemas import from_plain, to_plain


@dataclass(frozen=True)
class Entry:
    """One intent and what became of it; `outcome` None: nothing is known, the process may have died."""

    id: int
    run: str
    tenant: str
    step: str
    change_digest: str
    at: datetime
    outcome: Outcome | None = None


class Journal:
    """All methods raise JournalUnusable when the database does not take or give what it should."""

    def __init__(self, engine: Engine, known_secrets: frozenset[str] = frozenset()) -> None:
        self.engine = engine
        self._known_secrets = known_secrets

    @classmethod
    def open(cls, url: str, directory: Path, known_secrets: frozenset[str] = frozenset()) -> Journal:
        """Of a site: `url` as its file says, empty for `.millpond/journal.db` below `directory`."""
        return cls(open_store(url, directory), known_secrets)

    def close(self) -> None:
        """Gives back the connections that are idle: the last one of SQLite writes its log into the file. Who needs one later gets one."""
        self.engine.dispose()

    def begin(self, run: Run) -> None:
        with guarded(self.engine), self.engine.begin() as connection:
            connection.execute(insert(RUNS).values(asdict(run)))

    def intend(self, run: str, change: Change, token: int) -> int:
        """Written before the call is sent. LeaseHeld if `token` is no longer the tenant's: the run was taken over and must send nothing."""
        tenant = change.address.tenant
        row = select(
            *(literal(value) for value in (run, tenant, change.id, digest_of(change), token, datetime.now(UTC))),
        ).where(select(LEASES.c.tenant).where(LEASES.c.tenant == tenant, LEASES.c.token == token).exists())
        columns = ("run", "tenant", "step", "change_digest", "token", "at")
        with guarded(self.engine), self.engine.begin() as connection:
            number = connection.execute(insert(INTENTS).from_select(columns, row).returning(INTENTS.c.id)).scalar()
        if number is None:
            raise LeaseHeld(f"run {run} has lost its lease of {tenant}: nothing was sent", where=change.id)
        return int(number)

    def settle(self, intent: int, outcome: Outcome) -> Outcome:
        """Written after the call. The message is what a service said: credentials in it are masked, in what is returned too."""
        kept = self.fit_to_keep(outcome)
        with guarded(self.engine), self.engine.begin() as connection:
            connection.execute(
                insert(OUTCOMES).values(
                    intent=intent, result=kept.result.value, seconds=kept.seconds, message=kept.message, at=datetime.now(UTC)
                )
            )
        return kept

    def fit_to_keep(self, outcome: Outcome) -> Outcome:
        """With the credentials in its message masked."""
        return replace(outcome, message=redact(outcome.message, self._known_secrets))

    def expect(self, run: str, tenant: str, expectation: Expectation) -> None:
        """Written before servers are stopped: what their outage was said to be."""
        said = json.dumps(to_plain(expectation))
        with guarded(self.engine), self.engine.begin() as connection:
            connection.execute(insert(EXPECTATIONS).values(run=run, tenant=tenant, said=said, at=datetime.now(UTC)))

    def expectations(self, tenant: str) -> tuple[tuple[datetime, Expectation], ...]:
        """When it was said, and what; oldest first."""
        wanted = select(EXPECTATIONS).where(EXPECTATIONS.c.tenant == tenant).order_by(EXPECTATIONS.c.id)
        return tuple((_aware(row["at"]), from_plain(Expectation, json.loads(row["said"]))) for row in self._read(wanted))

    def measure(self, run: str, tenant: str, outage: Outage) -> None:
        """Written when a run has seen the end of an outage: what every later report of it says, too."""
        with guarded(self.engine), self.engine.begin() as connection:
            connection.execute(insert(OUTAGES).values(run=run, tenant=tenant, **asdict(outage)))

    def measured(self, tenant: str) -> tuple[Outage, ...]:
        """As runs measured them, oldest first."""
        wanted = select(OUTAGES).where(OUTAGES.c.tenant == tenant).order_by(OUTAGES.c.id)
        return tuple(Outage(row["server"], _aware(row["began"]), _aware(row["ended"]), row["back"]) for row in self._read(wanted))

    def entries(self, tenant: str, run: str = "") -> tuple[Entry, ...]:
        """Of a tenant, oldest first; of one run where it is named."""
        wanted = select(INTENTS, OUTCOMES.c.result, OUTCOMES.c.seconds, OUTCOMES.c.message).join(OUTCOMES, isouter=True)
        wanted = wanted.where(INTENTS.c.tenant == tenant).order_by(INTENTS.c.id)
        if run:
            wanted = wanted.where(INTENTS.c.run == run)
        return tuple(_entry(row) for row in self._read(wanted))

    def runs(self) -> tuple[Run, ...]:
        return tuple(Run(**{**row, "started": _aware(row["started"])}) for row in self._read(select(RUNS).order_by(RUNS.c.started)))

    def _read(self, wanted: object) -> Sequence[RowMapping]:
        with guarded(self.engine), self.engine.connect() as connection:
            return connection.execute(wanted).mappings().all()  # type: ignore[call-overload,no-any-return]


def digest_of(change: Change) -> str:
    """sha256 of what the change is. TypeError if a secret is in it: then nothing must be written or sent."""
    return "sha256:" + hashlib.sha256(json.dumps(asdict(change), sort_keys=True).encode()).hexdigest()


def _entry(row: RowMapping) -> Entry:
    outcome = Outcome(row["step"], Result(row["result"]), row["seconds"], row["message"]) if row["result"] else None
    return Entry(row["id"], row["run"], row["tenant"], row["step"], row["change_digest"], _aware(row["at"]), outcome)


def _aware(moment: datetime) -> datetime:
    """SQLite forgets the zone; what we write is UTC."""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
