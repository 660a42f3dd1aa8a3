from datetime import UTC, datetime, timedelta, timezone

import pytest

from millpond.reporting.amounts import counted, duration, lag, moment, moments, rate, rough, size


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"), (0.8, "0.8 s"), (9, "9 s"), (5.96, "6 s"), (9.96, "10 s"), (47.6, "48 s"), (59.7, "1 min"), (60, "1 min"), (90, "1 min 30 s"), (3600, "1 h"), (5400, "1 h 30 min"),
        (3605, "1 h"), (187200, "2 d 4 h"), (172860, "2 d"),
    ],
)  # fmt: skip
def test_durations_have_at_most_two_units(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("opens at 2026-12-01T22:00:00+01:00: run apply then", "opens at 2026-12-01 21:00:00 UTC: run apply then"),
        ("closed at 2026-12-01T21:01:30.980000+00:00", "closed at 2026-12-01 21:01:30 UTC"),
        ("between 2026-12-01T21:00:00Z and 2026-12-01T23:00:00Z", "between 2026-12-01 21:00:00 UTC and 2026-12-01 23:00:00 UTC"),
        ("state `cutover_at: 2026-12-01T21:00:00Z`, not 2026-12-01", "state `cutover_at: 2026-12-01T21:00:00Z`, not 2026-12-01"),
        ("the copy of 2026-99-01T21:00:00Z", "the copy of 2026-99-01T21:00:00Z"),
    ],
)
def test_times_in_sentences_are_told_as_all_others(text: str, told: str) -> None:
    assert moments(text) == told


def test_a_lag_has_whole_seconds() -> None:
    assert [lag(seconds) for seconds in (0, 0.4, 7.3, 43.3, 7200)] == ["-", "-", "7 s", "43 s", "2 h"]


def test_a_guess_of_minutes_has_no_seconds() -> None:
    assert rough(3569) == "59 min"
    assert rough(48.4) == "48 s"
    assert rough(95) == "1 min 35 s"


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (442381631488, "412.0 GiB"), (2**60, "1024.0 PiB")]
)
def test_sizes_are_binary(count: int, text: str) -> None:
    assert size(count) == text
    assert rate(count) == f"{text}/s"


def test_moments_are_told_in_utc() -> None:
    vienna = timezone(timedelta(hours=1))
    assert moment(datetime(2026, 12, 1, 22, 0, tzinfo=vienna)) == "2026-12-01 21:00:00 UTC"
    assert moment("20261201T210000Z") == "2026-12-01 21:00:00 UTC"
    assert moment(datetime(2026, 12, 1, tzinfo=UTC).isoformat()) == "2026-12-01 00:00:00 UTC"
    assert moment("some time ago") == "some time ago"


def test_nouns_are_counted() -> None:
    assert [counted(n, "server") for n in (0, 1, 2)] == ["0 servers", "1 server", "2 servers"]
