"""oslo.utils' reading of a boolean given as text."""

TRUE = frozenset(("1", "t", "true", "on", "y", "yes"))


def is_true(value: object) -> bool:
    return str(value).strip().lower() in TRUE
