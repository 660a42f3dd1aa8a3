from click import unstyle

from millpond.model.change import FieldChange
from millpond.reporting.values import field_lines, value_text


def lines(*fields: FieldChange) -> list[str]:
    return [unstyle(line) for line in field_lines(fields, "  ")]


def test_signs_and_alignment() -> None:
    assert lines(FieldChange("name", None, "web"), FieldChange("status", "ACTIVE", "SHUTOFF"), FieldChange("port_id", "p", None)) == [
        '  + name    = "web"',
        '  ~ status  = "ACTIVE" -> "SHUTOFF"',
        '  - port_id = "p" -> null',
    ]


def test_unchanged_fields_are_hidden() -> None:
    assert lines(FieldChange("name", "web", "web")) == []


def test_a_long_list_is_shown_by_what_differs() -> None:
    same = ["10.0.0.1/32", "10.0.0.2/32"]
    gone, new = [f"192.168.{n}.0/24" for n in range(3)], [f"172.16.{n}.0/24" for n in range(3)]
    assert lines(FieldChange("prefixes", same + gone, same + new)) == [
        "  ~ prefixes =",
        *(f'      - "{prefix}"' for prefix in gone),
        *(f'      + "{prefix}"' for prefix in new),
        "        # (2 unchanged elements hidden)",
    ]


def test_another_order_is_said() -> None:
    names = [f"server-with-a-long-name-{n}" for n in range(4)]
    assert lines(FieldChange("order", names, names[::-1]))[1:] == ["        (the same elements in another order)"]


def test_long_texts_stand_below_each_other() -> None:
    assert lines(FieldChange("description", "a" * 60, "b" * 60)) == [f'  ~ description = "{"a" * 60}"', f'               -> "{"b" * 60}"']


def test_very_long_texts_are_shown_by_their_ends() -> None:
    text = value_text("k" * 500 + "@laptop")
    assert text.startswith('"kkk')
    assert "(507 characters)" in text
    assert text.endswith('@laptop"')


def test_bytes_are_told_for_people_too() -> None:
    assert lines(FieldChange("bytes", None, 13421772800)) == ["  + bytes = 13421772800 (12.5 GiB)"]


def test_umlauts_stay_readable() -> None:
    assert value_text({"name": "Mühle"}) == '{"name": "Mühle"}'
