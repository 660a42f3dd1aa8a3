"""One lease per tenant: who may change things now. Given by the journal's database, judged by its clock alone."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from sqlalchemy import ColumnElement, Engine, Float, cast, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError

from millpond.errors import LeaseHeld, MillpondError
from millpond.execution.run import Run
from millpond.execution.store import guarded
from millpond.execution.tables import LEASES

TTL = 60.0
BEAT = 15.0
_GRACE = 3.0


class NoSuchLease(MillpondError):
    summary = "There is no such lease"


@dataclass(frozen=True)
class Holder:
    """`since` and `until` by the clock of the journal's database."""

    tenant: str
    run: str
    who: str
    ci: str
    token: int
    since: datetime
    until: datetime


class Lease:
    """Held from `with` to its end, renewed by a thread of its own every `beat` seconds; it expires `ttl` seconds after the last renewal.

    `token` grows with every holder and is never given twice: the journal takes intents from the latest one alone.
    """

    def __init__(self, engine: Engine, tenant: str, run: Run, ttl: float = TTL, beat: float = BEAT) -> None:
        self.tenant = tenant
        self.token = 0
        self._engine, self._run, self._ttl, self._beat = engine, run, ttl, beat
        self._renewed = 0.0
        self._lost = False
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._keep, name=f"lease of {tenant}", daemon=True)

    def __enter__(self) -> Self:
        """LeaseHeld, saying who, where, since and until when, if another run has it and it is not expired."""
        asked = time.monotonic()
        with guarded(self._engine):
            token = self._take()
        if token is None:
            raise _refusal(self._engine, self.tenant)
        self.token, self._renewed = token, asked
        self._thread.start()
        return self

    def __exit__(self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None) -> None:
        self.release()

    def release(self) -> None:
        """Gives it back before its end, from any thread; nothing to do where it was not taken or is another's by now."""
        if not self.token:
            return
        self._over.set()
        self._thread.join(_GRACE)
        try:
            with self._engine.begin() as connection:
                connection.execute(update(LEASES).where(*self._mine()).values(until=0.0))
        except SQLAlchemyError:
            pass  # it expires by itself; what ended the block matters more

    def margin(self) -> float:
        """Seconds for which the lease is ours for certain; 0 once it was lost. To be looked at before each mutating call."""
        return 0.0 if self._lost else max(0.0, self._ttl - (time.monotonic() - self._renewed))

    def require(self, share: float = 1 / 3) -> None:
        """LeaseHeld unless at least `share` of the lease's time is left."""
        if self.margin() < share * self._ttl:
            raise LeaseHeld(
                f"the lease of {self.tenant} could not be renewed in time, another run may have taken over; nothing was sent",
                where=self.tenant,
                fix="See who is at work, then run apply again:",
                command=f"millpond status {self.tenant}",
            )

    def _keep(self) -> None:
        while not self._over.wait(self._beat) and not self._lost:
            asked = time.monotonic()
            try:
                renewed = self._renew()
            except SQLAlchemyError:
                continue  # the margin shrinks meanwhile
            if renewed:
                self._renewed = asked
            else:
                self._lost = True

    def _take(self) -> int | None:
        build = postgresql.insert if self._engine.dialect.name == "postgresql" else sqlite.insert
        now = clock(self._engine)
        row = {"run": self._run.id, "who": self._run.who, "ci": self._run.ci, "since": now, "until": now + self._ttl}
        fresh = build(LEASES).values(tenant=self.tenant, token=1, **row)
        taken = fresh.on_conflict_do_update(
            index_elements=[LEASES.c.tenant], set_={**row, "token": LEASES.c.token + 1}, where=LEASES.c.until < now
        )
        with self._engine.begin() as connection:
            return connection.execute(taken.returning(LEASES.c.token)).scalar()

    def _renew(self) -> bool:
        with self._engine.begin() as connection:
            changed = connection.execute(update(LEASES).where(*self._mine()).values(until=clock(self._engine) + self._ttl))
        return changed.rowcount == 1

    def _mine(self) -> tuple[ColumnElement[bool], ...]:
        return LEASES.c.tenant == self.tenant, LEASES.c.token == self.token


def holders(engine: Engine) -> dict[str, Holder]:
    """tenant → who works on it now."""
    wanted = select(LEASES).where(LEASES.c.until >= clock(engine)).order_by(LEASES.c.tenant)
    with guarded(engine), engine.connect() as connection:
        rows = connection.execute(wanted).mappings().all()
    return {row["tenant"]: Holder(**{**row, "since": _moment(row["since"]), "until": _moment(row["until"])}) for row in rows}


def unlock(engine: Engine, tenant: str, run: str) -> None:
    """Takes the lease from a run that is dead. A run that still lives can record nothing more. NoSuchLease unless it is that run's."""
    statement = update(LEASES).where(LEASES.c.tenant == tenant, LEASES.c.run == run, LEASES.c.until >= clock(engine))
    with guarded(engine), engine.begin() as connection:
        changed = connection.execute(statement.values(until=0.0, token=LEASES.c.token + 1))
    if changed.rowcount:
        return
    holder = holders(engine).get(tenant)
    why = f"{tenant} is leased to run {holder.run} of {holder.who}" if holder else f"nobody has a lease of {tenant}"
    raise NoSuchLease(why, where=tenant, fix="Name the run that holds it." if holder else "There is nothing to unlock.")


def clock(engine: Engine) -> ColumnElement[float]:
    """Now, in seconds since epoch, as the database tells it: several runners' clocks need not agree."""
    if engine.dialect.name == "postgresql":
        return cast(func.extract("epoch", func.clock_timestamp()), Float)
    return (func.julianday("now") - 2440587.5) * 86400.0  # sqlite.org/lang_datefunc.html: the Julian day of 1970-01-01


def _refusal(engine: Engine, tenant: str) -> LeaseHeld:
    holder = holders(engine).get(tenant)
    if holder is None:  # released between the two looks
        return LeaseHeld(f"{tenant} was leased a moment ago", where=tenant, fix="Run apply again.")
    place = f" in {holder.ci}" if holder.ci else ""
    return LeaseHeld(
        f"run {holder.run} of {holder.who}{place} works on {tenant} since {holder.since:%Y-%m-%d %H:%M:%S} UTC; "
        f"its lease ends at {holder.until:%H:%M:%S} UTC unless it is renewed",
        where=tenant,
        fix="Wait for it to end. If that run is dead, its lease ends by itself; to take it away at once:",
        command=f"millpond unlock {tenant} --run {holder.run}",
    )


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
