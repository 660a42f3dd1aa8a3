"""Fills the templates. Whatever stands in a value is shown, and does nothing."""

from __future__ import annotations

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from millpond.model.to_do import told_apart
from millpond.reporting.amounts import counted, duration, lag, moment, moments, rate, rough, size
from millpond.reporting.held import held_by
from millpond.reporting.html.fields import field_rows
from millpond.reporting.html.page import DriftPage, ReportPage
from millpond.reporting.html.phases import Named
from millpond.reporting.html.shortened import clock, day, filled, of_kind, of_tenant


def report_html(page: ReportPage) -> str:
    """One file; it asks no network for anything, and runs nothing."""
    return _environment().get_template("report.html.j2").render(page=page)


def drift_html(page: DriftPage) -> str:
    """Likewise."""
    return _environment().get_template("drift.html.j2").render(page=page)


def prose(text: str) -> Markup:
    """A sentence; what stands in backticks is code."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return escape(text)
    return Markup().join(Markup("<code>{}</code>").format(part) if at % 2 else part for at, part in enumerate(parts))


@cache
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("millpond.reporting.html"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    made.filters |= {
        "held_by": held_by,
        "duration": duration,
        "lag": lag,
        "moment": moment,
        "moments": moments,
        "size": size,
        "rate": rate,
        "rough": rough,
        "capitalised": lambda text: text[:1].upper() + text[1:],
        "counted": counted,
        "prose": prose,
        "told_apart": told_apart,
        "field_rows": field_rows,
        "clock": clock,
        "day": day,
        "filled": filled,
        "name": lambda address: Named.of(address).name,
        "of_kind": of_kind,
        "of_tenant": of_tenant,
    }
    return made
