from datetime import UTC, datetime, timedelta, timezone

import pytest

from millpond.model.cut_record import CutRecord
from millpond.reconcilers.boot import FAILED, Boot, counted, declared, failures, last_fault, parse_stamp, stamp

AT = datetime(2026, 12, 1, 22, 0, 5, tzinfo=UTC)


@pytest.mark.parametrize("run", ["run-1", FAILED, "run/with/slashes"])
def test_a_declaration_is_read_as_it_was_written(run: str) -> None:
    written = str(Boot(AT, run))
    assert written == f"2026-12-01T22:00:05Z/{run}"
    assert declared(CutRecord(booting=written)) == Boot(AT, run)


@pytest.mark.parametrize("record", [None, CutRecord(cut="20261201", power="active")])
def test_what_was_not_declared_is_none(record: CutRecord | None) -> None:
    assert declared(record) is None
    assert failures(record) == (0, "")


def test_times_are_utc_wherever_the_run_is() -> None:
    local = AT.astimezone(timezone(timedelta(hours=5, minutes=30)))
    assert stamp(local) == "2026-12-01T22:00:05Z"
    assert parse_stamp(stamp(local)) == AT


def test_failed_boots_are_counted_with_the_start_of_the_servers_id() -> None:
    record = CutRecord()
    for number in (1, 2, 3):
        text = counted(record, f"{number}f3c9a2e-aaaa-bbbb", f"fault: number {number}")
        record = CutRecord(attempts=text)
        assert failures(record) == (number, f"{number}f3c9a2e")
        assert last_fault(record) == f"fault: number {number}"


def test_a_record_of_failed_boots_without_a_fault_is_read() -> None:
    record = CutRecord(attempts="2:1f3c9a2e")
    assert (failures(record), last_fault(record), last_fault(None)) == ((2, "1f3c9a2e"), "", "")
    assert counted(record, "2f3c9a2e-aaaa", "") == "3:2f3c9a2e"


def test_a_record_fits_into_novas_metadata() -> None:
    """255 characters for key and value (nova/objects/instance.py and the API's schema)."""
    full = CutRecord(booting=str(Boot(AT, "r" * 64)), attempts=counted(CutRecord(attempts="2:12345678"), "f" * 36, "\N{FISH}\n" * 300))
    assert all(len(key) <= 255 and len(value) <= 255 and value.isascii() for key, value in full.metadata().items())
