"""What parsers make of answers: a value of another type than the API documents is a failure of the call that answered it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from functools import cache, wraps
from types import NoneType, UnionType
from typing import Any, ParamSpec, TypeVar, Union, get_args, get_origin, get_type_hints

from millpond.providers.answers import Answer

P = ParamSpec("P")
T = TypeVar("T")
Misfit = Callable[[Any], str]
"""Why a value does not fit, empty where it does."""

WORDS = {
    str: "a text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    NoneType: "nothing",
    Mapping: "an object",
    tuple: "a list",
    frozenset: "a list",
}

SCALARS = (str, int, float)


def documented(parse: Callable[P, T]) -> Callable[P, T]:
    """A parser that raises the failure of the call where a row is not what the API documents, or what is made of it is not what it says."""
    noun = parse.__name__.removeprefix("parse_").replace("_", " ")

    @wraps(parse)
    def checked(*arguments: P.args, **keywords: P.kwargs) -> T:
        row = next((each for each in arguments if isinstance(each, Answer)), None)
        if row is None:
            return parse(*arguments, **keywords)
        whose = f"the {noun} {row['id']}" if isinstance(row.get("id"), str | int) else f"a {noun}"
        try:
            made = parse(*arguments, **keywords)
        except (ValueError, TypeError, AttributeError) as error:
            expected = "a number" if isinstance(error, ValueError) else "a text, a list or an object"
            raise row.wrong(f"{whose} in the answer has something else where {expected} belongs") from None
        kind: Any = type(made)
        if why := _misfit(kind)(made):
            raise row.wrong(f"{whose} in the answer: {why}")
        return made

    return checked


@cache
def _misfit(kind: Any) -> Misfit:
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return _any_of(tuple(map(_misfit, arguments)))
    if origin in (tuple, frozenset):
        return _each(origin, _misfit(arguments[0]))
    if origin is not None and isinstance(origin, type) and issubclass(origin, Mapping):
        return _mapping(_misfit(arguments[1]) if arguments[1] is not str else _scalar)
    if isinstance(kind, type) and is_dataclass(kind):
        return _noun(kind)
    return _plain(kind) if kind in WORDS else lambda value: "" if not isinstance(kind, type) or isinstance(value, kind) else "it is unknown"


def _plain(kind: type) -> Misfit:
    accepted = (int, float) if kind is float else (kind,)

    def misfit(value: Any) -> str:
        if type(value) is kind:
            return ""
        fits = isinstance(value, accepted) and (kind is bool or not isinstance(value, bool))
        return "" if fits else f"{_shown(value)} stands where {WORDS[kind]} belongs"

    return misfit


def _any_of(options: tuple[Misfit, ...]) -> Misfit:
    return lambda value: "" if any(not option(value) for option in options) else options[0](value)


def _each(kind: type[tuple[Any, ...]] | type[frozenset[Any]], inner: Misfit) -> Misfit:
    def misfit(value: Any) -> str:
        if not isinstance(value, kind):
            return f"{_shown(value)} stands where a list belongs"
        for each in value:
            if why := inner(each):
                return why
        return ""

    return misfit


def _mapping(inner: Misfit) -> Misfit:
    def misfit(value: Any) -> str:
        if not isinstance(value, Mapping):
            return f"{_shown(value)} stands where an object belongs"
        for key, each in value.items():
            if why := inner(each):
                return f"in `{key}` {why}"
        return ""

    return misfit


def _scalar(value: Any) -> str:
    """Metadata are texts, and what some services give as a number or a boolean does no harm."""
    return "" if isinstance(value, SCALARS) else f"{_shown(value)} stands where a text belongs"


def _noun(kind: type) -> Misfit:
    hints = get_type_hints(kind)
    parts = [(field.name, _misfit(hints[field.name])) for field in fields(kind)]

    def misfit(value: Any) -> str:
        if not isinstance(value, kind):
            return f"{_shown(value)} stands where an object belongs"
        for name, inner in parts:
            if why := inner(getattr(value, name)):
                return f"in `{name}` {why}"
        return ""

    return misfit


def _shown(value: Any) -> str:
    """Its kind alone: it may be a secret."""
    return next((word for kind, word in WORDS.items() if type(value) is kind), "an object" if isinstance(value, Mapping) else "a list")
