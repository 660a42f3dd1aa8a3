from millpond.model.change import FieldChange
from millpond.reporting.html.fields import FieldRow, field_rows


def row(before: object, after: object) -> FieldRow:
    (found,) = field_rows([FieldChange("f", before, after)])
    return found


def test_plain_values_stand_as_they_are() -> None:
    assert row("a", "b") == FieldRow("f", ('"a"',), ('"b"',))
    assert row(None, 2) == FieldRow("f", (), ("2",))


def test_of_lists_only_what_differs() -> None:
    assert row(["a", "b", "c"], ["c", "d", "a"]) == FieldRow("f", ('"b"',), ('"d"',), same=2)
    assert row(["a"], None) == FieldRow("f", ('"a"',), ())


def test_of_mappings_too() -> None:
    assert row({"a": 1, "b": 2}, {"a": 1, "b": 3}) == FieldRow("f", ("b = 2",), ("b = 3",), same=1)


def test_another_order_is_shown_whole() -> None:
    assert row(["a", "b"], ["b", "a"]) == FieldRow("f", ('"a"', '"b"'), ('"b"', '"a"'))


def test_what_is_equal_is_left_out() -> None:
    assert field_rows([FieldChange("f", 1, 1)]) == []
