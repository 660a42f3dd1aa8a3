"""OpenMetrics for the text-file collector of a node exporter. Gauges alone: these mean the same in Prometheus' older text format."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.openmetrics.exposition import generate_latest
from prometheus_client.registry import Collector, CollectorRegistry

from millpond.model.finding import Severity
from millpond.model.plan import NOT_KNOWN, TenantPlan, WaveStatus
from millpond.reporting.drift_report import COPYING, SIDES, DriftReport, of_side


def metrics_text(report: DriftReport, outages: Mapping[str, float]) -> str:
    """`outages`: server address → seconds of its last outage that ended. Series of what is gone end by themselves."""
    registry = CollectorRegistry()
    registry.register(_Report(report, outages))
    written: bytes = generate_latest(registry)  # type: ignore[no-untyped-call]
    return written.decode()


class _Report(Collector):
    def __init__(self, report: DriftReport, outages: Mapping[str, float]) -> None:
        self._report, self._outages = report, outages

    def collect(self) -> Iterator[GaugeMetricFamily]:
        plan = self._report.plan
        yield from self._site()
        yield from self._tenants(plan.tenants)
        yield from self._waves([(tenant.tenant, wave) for tenant in plan.tenants for wave in tenant.waves])

    def _site(self) -> Iterator[GaugeMetricFamily]:
        plan = self._report.plan
        version = _gauge("millpond_build_info", "1, with the version of Millpond that wrote this", "version")
        version.add_metric([plan.tool_version], 1)
        yield version
        looked = _gauge("millpond_observation_timestamp_seconds", "When all of this was observed, in seconds since 1970")
        looked.add_metric([], plan.made_at.timestamp())
        yield looked
        readable = _gauge(
            "millpond_tenant_readable", "1 if the tenant could be observed, 0 if not: its other series are missing then", "tenant"
        )
        for tenant in plan.tenants:
            readable.add_metric([tenant.tenant], 1)
        for name, _ in plan.errors:
            readable.add_metric([name], 0)
        yield readable

    def _tenants(self, tenants: tuple[TenantPlan, ...]) -> Iterator[GaugeMetricFamily]:
        drift = _gauge("millpond_drift_objects", "Objects that changed by other hands", "tenant", "side")
        findings = _gauge("millpond_findings", "What a person should know; blockers hold something", "tenant", "severity")
        changes = _gauge("millpond_pending_changes", "Steps that apply would take, now or later", "tenant")
        for tenant in tenants:
            for side in SIDES:
                drift.add_metric([tenant.tenant, side], len(of_side(tenant, side)))
            for severity in Severity:
                findings.add_metric([tenant.tenant, severity.value], sum(each.severity is severity for each in tenant.findings))
            changes.add_metric([tenant.tenant], len(tenant.changes))
        yield from (drift, findings, changes)

    def _waves(self, waves: list[tuple[str, WaveStatus]]) -> Iterator[GaugeMetricFamily]:
        each = ("tenant", "wave")
        phase = _gauge("millpond_wave_phase", "1, with the phase that the wave is in", *each, "phase", "stage")
        servers = _gauge("millpond_wave_servers", "Servers of the wave", *each)
        lag = _gauge("millpond_replication_lag_seconds", "How far the wave's replicas are behind", *each)
        left = _gauge("millpond_replication_remaining_bytes", "What is left of the first copy", *each)
        down = _gauge("millpond_outage_seconds", "For how long servers of the wave have been down by our doing, 0 if none is", *each)
        last = _gauge("millpond_last_outage_seconds", "The longest among the last outages of the wave's servers that ended", *each)
        for tenant, wave in waves:
            phase.add_metric([tenant, wave.name, wave.phase, wave.stage.value], 1)
            servers.add_metric([tenant, wave.name], len(wave.servers))
            if wave.stage in COPYING:
                lag.add_metric([tenant, wave.name], wave.lag_seconds)
                left.add_metric([tenant, wave.name], wave.bytes_left)
            down.add_metric([tenant, wave.name], self._since(wave.outage_since))
            measured = [self._outages[server] for server in wave.servers if server in self._outages]
            if measured:
                last.add_metric([tenant, wave.name], max(measured))
        yield from (phase, servers, lag, left, down, last)

    def _since(self, moment: str) -> float:
        """A second where the time is not known: an alarm must see that something is down."""
        if moment == NOT_KNOWN:
            return 1.0
        return max(0.0, (self._report.plan.made_at - datetime.fromisoformat(moment)).total_seconds()) if moment else 0.0


def _gauge(name: str, words: str, *labels: str) -> GaugeMetricFamily:
    unit = next((unit for unit in ("seconds", "bytes") if name.endswith(f"_{unit}")), "")
    return GaugeMetricFamily(name, words, labels=labels, unit=unit)
