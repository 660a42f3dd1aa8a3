import subprocess
import sys
from datetime import UTC, datetime
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from millpond.diffing import differences, plain
from millpond.model.address import Side
from millpond.model.change import FieldChange
from millpond.model.secret import Secret


def test_fields_come_sorted_and_mappings_are_walked_into() -> None:
    before = {"name": "web", "metadata": {"role": "front", "tier": "1"}}
    after = {"name": "web-1", "metadata": {"role": "back", "owner": "ops"}}
    assert differences(before, after) == (
        FieldChange("metadata.owner", None, "ops"),
        FieldChange("metadata.role", "front", "back"),
        FieldChange("metadata.tier", "1", None),
        FieldChange("name", "web", "web-1"),
    )


def test_lists_are_shown_whole_and_in_order() -> None:
    before = {"fixed_ips": [{"ip_address": "10.0.0.5"}], "tags": ["a", "b"]}
    after = {"fixed_ips": [{"ip_address": "10.0.0.5"}, {"ip_address": "10.0.0.6"}], "tags": ["b", "a"]}
    assert differences(before, after) == (
        FieldChange("fixed_ips", [{"ip_address": "10.0.0.5"}], [{"ip_address": "10.0.0.5"}, {"ip_address": "10.0.0.6"}]),
        FieldChange("tags", ["a", "b"], ["b", "a"]),
    )


def test_a_mapping_that_appears_is_walked_into_too() -> None:
    assert differences({"name": "x"}, {"name": "x", "metadata": {"role": "db"}}) == (FieldChange("metadata.role", None, "db"),)
    assert differences({}, {"metadata": {"role": "db"}}) == (FieldChange("metadata.role", None, "db"),)


def test_missing_and_none_are_the_same() -> None:
    assert differences({"gateway_ip": None}, {"name": "x"}) == (FieldChange("name", None, "x"),)
    assert differences({"gateway_ip": "10.0.0.1", "mtu": 1500}, {"gateway_ip": None, "mtu": 1500}) == (
        FieldChange("gateway_ip", "10.0.0.1", None),
    )


@pytest.mark.parametrize("pair", [((1, 2), [1, 2]), (Side.TARGET, "target"), (1, 1.0), ({"b", "a"}, ["a", "b"])])
def test_values_that_mean_the_same_do_not_differ(pair: tuple[object, object]) -> None:
    assert differences({"x": pair[0], "y": 1}, {"x": pair[1], "y": 2}) == (FieldChange("y", 1, 2),)


def test_a_boolean_that_turns_is_a_difference() -> None:
    assert differences({"locked": False}, {"locked": True}) == (FieldChange("locked", before=False, after=True),)


def test_keys_with_dots_are_quoted() -> None:
    assert differences({}, {"metadata": {"app.version": "3"}}) == (FieldChange('metadata."app.version"', None, "3"),)


def test_ignored_paths_go_with_all_below_them() -> None:
    before = {"metadata": {"a": "1"}, "metadata_note": "x", "status": "ACTIVE"}
    after = {"metadata": {"a": "2", "b": "3"}, "metadata_note": "y", "status": "SHUTOFF"}
    assert differences(before, after, ignore=("metadata", "status")) == (FieldChange("metadata_note", "x", "y"),)
    assert differences(before, after, ignore=("metadata.a", "status", "metadata_note")) == (FieldChange("metadata.b", None, "3"),)


def test_secrets_are_compared_but_never_shown() -> None:
    (found,) = differences({"user_data": Secret("canary-1"), "n": 1}, {"user_data": Secret("canary-2"), "n": 1})
    assert (found.before, found.after) == ("(sensitive value)", "(sensitive value)")
    assert differences({"user_data": Secret("canary"), "n": 1}, {"user_data": Secret("canary"), "n": 2}) == (FieldChange("n", 1, 2),)


def test_plain_makes_json_values() -> None:
    value = MappingProxyType({"at": datetime(2026, 12, 1, tzinfo=UTC), "side": Side.SOURCE, "ids": ("a",)})
    assert plain(value) == {"at": "2026-12-01T00:00:00+00:00", "side": "source", "ids": ["a"]}


_values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text("ab.", max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab.", max_size=2), inner, max_size=3),
    max_leaves=6,
)
_objects = st.dictionaries(st.text("xyz", min_size=1, max_size=2), _values, max_size=4)


@given(_objects, _objects)
def test_turning_the_sides_around_turns_every_field_around(before: dict[str, object], after: dict[str, object]) -> None:
    there = differences(before, after)
    back = differences(after, before)
    assert [(f.path, f.after, f.before) for f in there] == [(f.path, f.before, f.after) for f in back]
    assert differences(before, before) == ()
    assert all(repr(f.before) != repr(f.after) for f in there)


def test_an_equal_pair_does_not_load_deepdiff() -> None:
    program = "import sys; from millpond.diffing import differences; differences({'a': 1}, {'a': 1}); sys.exit('deepdiff' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
