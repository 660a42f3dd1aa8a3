"""Durations, plain scalars, similar names and lists of names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from millpond.model.address import unique_names
from millpond.schemas.durations import seconds
from millpond.schemas.nearest import listed, nearest


@pytest.mark.parametrize(("text", "expected"), [("500ms", 0.5), ("90s", 90), ("5m", 300), ("72h", 259200), ("3d", 259200), ("0s", 0)])
def test_durations(text: str, expected: float) -> None:
    assert seconds(text) == expected


@pytest.mark.parametrize("text", ["", "5", "m", "5 m", "1h30m", "-5m", "5M", "1.5h", "٣d", "5m\n"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="not a duration"):
        seconds(text)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("cutovr", "cutover"), ("keepPairsUntil", "keep_pairs_until"), ("KEEP-PAIRS-UNTIL", "keep_pairs_until"), ("zzz", "")],
)
def test_the_nearest_name(name: str, expected: str) -> None:
    assert nearest(name, ["cutover", "keep_pairs_until", "waves"]) == expected


@pytest.mark.parametrize(
    ("names", "expected"), [([], ""), (["a"], "`a`"), (["a", "b"], "`a` and `b`"), (["a", "b", "c"], "`a`, `b` and `c`")]
)
def test_lists_of_names(names: list[str], expected: str) -> None:
    assert listed(names) == expected


IDS = st.lists(st.text("ab", min_size=1, max_size=12), unique=True, max_size=8)


@given(st.data(), IDS)
def test_names_in_addresses_are_unique(data: st.DataObject, ids: list[str]) -> None:
    pairs = [(id, data.draw(st.sampled_from(["", "web", "web@aaaaaaaa"]))) for id in ids]
    assert len(set(unique_names(pairs).values())) == len(ids)
