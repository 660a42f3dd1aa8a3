"""The journal's tables. All but leases are only ever added to; a lease row stays, so that its token never goes back."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, DateTime, Float, ForeignKey, Integer, MetaData, String, Table, Text

METADATA = MetaData()
_NUMBER = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers rows by itself only for INTEGER

RUNS = Table(
    "runs",
    METADATA,
    Column("id", String(64), primary_key=True),
    Column("who", String(255), nullable=False),
    Column("ci", Text, nullable=False),
    Column("git_sha", String(64), nullable=False),
    Column("tool_version", String(64), nullable=False),
    Column("started", DateTime(timezone=True), nullable=False),
)
INTENTS = Table(
    "intents",
    METADATA,
    Column("id", _NUMBER, primary_key=True, autoincrement=True),
    Column("run", ForeignKey("runs.id"), nullable=False),
    Column("tenant", String(255), nullable=False, index=True),
    Column("step", Text, nullable=False),
    Column("change_digest", String(71), nullable=False),
    Column("token", BigInteger, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
)
OUTCOMES = Table(
    "outcomes",
    METADATA,
    Column("intent", ForeignKey("intents.id"), primary_key=True),
    Column("result", String(16), nullable=False),
    Column("seconds", Float, nullable=False),
    Column("message", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
)
EXPECTATIONS = Table(
    "expectations",
    METADATA,
    Column("id", _NUMBER, primary_key=True, autoincrement=True),
    Column("run", ForeignKey("runs.id"), nullable=False),
    Column("tenant", String(255), nullable=False, index=True),
    Column("said", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
)
OUTAGES = Table(
    "outages",
    METADATA,
    Column("id", _NUMBER, primary_key=True, autoincrement=True),
    Column("run", ForeignKey("runs.id"), nullable=False),
    Column("tenant", String(255), nullable=False, index=True),
    Column("server", Text, nullable=False),
    Column("began", DateTime(timezone=True), nullable=False),
    Column("ended", DateTime(timezone=True), nullable=False),
    Column("back", Boolean, nullable=False),
)
LEASES = Table(
    "leases",
    METADATA,
    Column("tenant", String(255), primary_key=True),
    Column("run", String(64), nullable=False),
    Column("who", String(255), nullable=False),
    Column("ci", Text, nullable=False),
    Column("token", BigInteger, nullable=False),
    Column("since", Float, nullable=False),
    Column("until", Float, nullable=False),
)
