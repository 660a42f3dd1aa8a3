"""Metrics, read by the parsers of OpenMetrics and of Prometheus' older text format."""

from dataclasses import replace

import pytest
from prometheus_client import parser as text_format
from prometheus_client.openmetrics import parser as openmetrics

from millpond.model.plan import NOT_KNOWN
from millpond.reporting.drift_report import DriftReport
from millpond.reporting.metrics import metrics_text

from . import examples

DOWN = replace(examples.QUIET, tenant='we"ird\\\nname', waves=(replace(examples.CUT_SHORT, outage_since="2026-12-01T11:55:50+00:00"),))
FULL = DriftReport(examples.plan(examples.ACME, examples.GLOBEX, DOWN, errors=(("umbrella", "unreachable"),)))
OUTAGES = {"acme/server/bastion": 31.0, "acme/server/web-1": 47.5, "acme/server/db-1": 64.25}
Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def read(text: str) -> Samples:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in openmetrics.text_string_to_metric_families(text)
        for sample in family.samples
    }


def value(name: str, **labels: str) -> float:
    return read(metrics_text(FULL, OUTAGES))[f"millpond_{name}", frozenset(labels.items())]


def test_an_outage_of_which_nobody_knows_the_beginning_is_one() -> None:
    unknown = replace(examples.QUIET, waves=(replace(examples.CUT_SHORT, outage_since=NOT_KNOWN),))
    samples = read(metrics_text(DriftReport(examples.plan(unknown)), {}))
    assert [value for (name, _), value in samples.items() if name == "millpond_outage_seconds"] == [1.0]


@pytest.mark.parametrize(
    ("name", "labels", "wanted"),
    [
        ("build_info", {"version": "0.1.0"}, 1),
        ("observation_timestamp_seconds", {}, examples.NOON.timestamp()),
        ("tenant_readable", {"tenant": "acme"}, 1),
        ("tenant_readable", {"tenant": "umbrella"}, 0),
        ("drift_objects", {"tenant": "acme", "side": "source"}, 1),
        ("drift_objects", {"tenant": "acme", "side": "target"}, 1),
        ("drift_objects", {"tenant": "globex", "side": "target"}, 0),
        ("findings", {"tenant": "acme", "severity": "blocker"}, 1),
        ("pending_changes", {"tenant": "acme"}, len(examples.ACME.changes)),
        ("wave_phase", {"tenant": "globex", "wave": "rest", "phase": "seeding", "stage": "replicate"}, 1),
        ("wave_servers", {"tenant": "acme", "wave": "core"}, 2),
        ("replication_lag_seconds", {"tenant": "acme", "wave": "core"}, 43.3),
        ("replication_remaining_bytes", {"tenant": "globex", "wave": "rest"}, 442381631488),
        ("outage_seconds", {"tenant": "acme", "wave": "core"}, 0),
        ("outage_seconds", {"tenant": 'we"ird\\\nname', "wave": "core"}, 250),
        ("last_outage_seconds", {"tenant": "acme", "wave": "core"}, 64.25),
        ("last_outage_seconds", {"tenant": "acme", "wave": "pilot"}, 31),
    ],
)
def test_what_is_measured(name: str, labels: dict[str, str], wanted: float) -> None:
    assert value(name, **labels) == wanted


def test_what_says_nothing_has_no_series() -> None:
    found = {(name, dict(labels).get("tenant"), dict(labels).get("wave")) for name, labels in read(metrics_text(FULL, OUTAGES))}
    assert ("millpond_last_outage_seconds", "globex", "rest") not in found, "nothing was measured"
    assert ("millpond_replication_lag_seconds", "acme", "pilot") not in found, "it was handed over: its replicas rest"
    assert ("millpond_drift_objects", "umbrella", None) not in found, "it could not be read"


def test_both_formats_say_the_same() -> None:
    text = metrics_text(FULL, OUTAGES)
    older = {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_format.text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert older == read(text)
    assert text.endswith("# EOF\n")
    assert {line.split()[-1] for line in text.splitlines() if line.startswith("# TYPE")} == {"gauge"}


def test_a_site_without_tenants_can_be_measured() -> None:
    assert ("millpond_build_info", frozenset({("version", "0.1.0")})) in read(metrics_text(DriftReport(examples.plan()), {}))
