"""Drift as JUnit XML, which CI systems show as tests: what drifted or blocks is a failure, a tenant that could not be read an error."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from millpond.model.plan import Drift, Plan, TenantPlan
from millpond.reporting.amounts import duration, moments, size
from millpond.reporting.drift_report import BLOCKED, SIDES, DriftReport, Lag, blocking, happened, of_side
from millpond.reporting.markdown import inert
from millpond.reporting.summary import holds
from millpond.reporting.values import short


def drift_junit(report: DriftReport) -> str:
    """Suites for each tenant's blockers and sides, one for lag: what is behind is no failure, and says so in its output."""
    suites = [*_tenants(report.plan), *([_lag(report.lags)] if report.lags else []), *_errors(report.plan)]
    root = Element("testsuites", name="millpond drift")
    for kind in ("tests", "failures", "errors"):
        root.set(kind, str(sum(int(suite.get(kind, "0")) for suite in suites)))
    root.extend(suites)
    indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{tostring(root, encoding="unicode")}\n'


def _tenants(plan: Plan) -> Iterator[Element]:
    for tenant in plan.tenants:
        yield _blockers(plan, tenant)
        for side in SIDES:
            yield _side(plan, tenant, side)


def _blockers(plan: Plan, tenant: TenantPlan) -> Element:
    found = blocking(tenant)
    suite = _suite(f"{tenant.tenant}: {BLOCKED[0].lower()}", max(1, len(found)), failures=len(found))
    suite.set("timestamp", f"{plan.made_at:%Y-%m-%dT%H:%M:%S}")
    for finding in found:
        case = _case(suite, "drift.blocker", f"{finding.address} {finding.code} holds {holds(finding)}")
        said = "\n".join(filter(None, (moments(finding.why), f"To do: {moments(finding.fix)}" if finding.fix else "", finding.patch)))
        SubElement(case, "failure", message=inert(f"{finding.address}: {moments(finding.what)}"), type="blocker").text = _spelled(said)
    if not found:
        _case(suite, "drift.blocker", f"nothing blocks what moves or has moved of {tenant.tenant}")
    return suite


def _spelled(text: str) -> str:
    return "\n".join(map(inert, text.splitlines()))


def _side(plan: Plan, tenant: TenantPlan, side: str) -> Element:
    title, meaning = SIDES[side]
    found = of_side(tenant, side)
    suite = _suite(f"{tenant.tenant}: {title.lower()}", max(1, len(found)), failures=len(found))
    suite.set("timestamp", f"{plan.made_at:%Y-%m-%dT%H:%M:%S}")
    for drift in found:
        case = _case(suite, f"drift.{side}", str(drift.address))
        SubElement(case, "failure", message=inert(f"{drift.address} {happened(drift)}"), type=f"{side}_drift").text = _body(drift, meaning)
    if not found:
        _case(suite, f"drift.{side}", f"{tenant.tenant} has no {title.lower()}")
    return suite


def _body(drift: Drift, meaning: str) -> str:
    return "\n".join([*(inert(short(field)) for field in drift.fields), meaning])


def _lag(lags: tuple[Lag, ...]) -> Element:
    suite = _suite("lag", len(lags))
    for lag in lags:
        case = _case(suite, "lag", f"{lag.tenant}/wave/{lag.wave}")
        behind = f"{duration(lag.seconds)} behind" + (", more than the site file allows" if lag.late else "")
        left = f", {size(lag.bytes_left)} to copy" if lag.bytes_left else ""
        SubElement(case, "system-out").text = inert(f"{lag.phase}: {behind}{left}")
    return suite


def _errors(plan: Plan) -> Iterator[Element]:
    for tenant, summary in plan.errors:
        suite = _suite(f"{tenant}: not compared", 1, errors=1)
        case = _case(suite, "drift", f"{tenant} could be read")
        SubElement(case, "error", message=inert(moments(summary)), type="error")
        yield suite


def _suite(name: str, tests: int, failures: int = 0, errors: int = 0) -> Element:
    counts = {"tests": str(tests), "failures": str(failures), "errors": str(errors), "skipped": "0", "time": "0"}
    return Element("testsuite", {"name": inert(name), **counts})


def _case(suite: Element, kind: str, name: str) -> Element:
    return SubElement(suite, "testcase", classname=f"millpond.{kind}", name=inert(name), time="0")
