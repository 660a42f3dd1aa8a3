from __future__ import annotations

from datetime import datetime, timedelta, timezone

from millpond.model.manifest import Approval, Exclusion, ProjectRef, Reference, Rollback, ServerValues, VolumeValues, Wave, Window
from millpond.schemas import load_manifest
from tests.schemas.writing import SiteDirectory

CET = timezone(timedelta(hours=1))

FULL = """\
cutover: true
soak: 7d
keep_pairs_until: 2026-12-24T00:00:00Z
adoption: manage
waves:
  - name: pilot
    servers: [bastion, {source_id: abc}]
    volumes: [scratch]
    cutover: false
    grouping: volume
    window: {opens: 2026-12-01T22:00:00+01:00, closes: 2026-12-02T02:00:00+01:00}
    rollback: {cut: 20261130T220000Z, target_writes: discard}
  - {name: core}
quotas: {cores: 60, ram: -1}
servers:
  - {name: db-1, flavor: m2.large, power: shutoff, availability_zone: az2, user_data: drop}
volumes:
  - {source_id: def, volume_type: gold, adoption: precreate}
exclude:
  - {server: old, reason: rebuilt by its owner}
approvals:
  - {action: decommission, digest: 'sha256:0123456789abcdef', expires: 2027-01-01T00:00:00Z, by: jane}
"""


def test_a_manifest_is_read_into_the_model(site: SiteDirectory) -> None:
    path = site.manifest(FULL)
    manifest = load_manifest(path)
    assert (manifest.name, manifest.file) == ("acme", str(path))
    assert manifest.target == ProjectRef("new", "customers", "acme")
    assert (manifest.cutover, manifest.decommission, manifest.soak, manifest.adoption) == (True, False, 604800, "manage")
    window = Window(datetime(2026, 12, 1, 22, tzinfo=CET), datetime(2026, 12, 2, 2, tzinfo=CET))
    assert manifest.waves == (
        Wave(
            "pilot",
            (Reference("bastion"), Reference(source_id="abc")),
            (Reference("scratch"),),
            cutover=False,
            window=window,
            rollback=Rollback("20261130T220000Z", "discard"),
            grouping="volume",
        ),
        Wave("core"),
    )
    assert manifest.quotas == {"cores": 60, "ram": -1}
    assert manifest.servers == (ServerValues(Reference("db-1"), "m2.large", "shutoff", "az2", "drop"),)
    assert manifest.volumes == (VolumeValues(Reference(source_id="def"), "gold", "precreate"),)
    assert manifest.exclude == (Exclusion("rebuilt by its owner", server="old"),)
    assert manifest.approvals[0] == Approval("decommission", "sha256:0123456789abcdef", manifest.approvals[0].expires, "jane")


def test_times_keep_their_moment(site: SiteDirectory) -> None:
    manifest = load_manifest(site.manifest("keep_pairs_until: 2026-12-01T23:00:00+01:00"))
    assert manifest.keep_pairs_until is not None
    assert manifest.keep_pairs_until.utctimetuple().tm_hour == 22


def test_a_manifest_of_the_first_day_has_no_flag_set(site: SiteDirectory) -> None:
    manifest = load_manifest(site.manifest())
    assert (manifest.cutover, manifest.decommission, manifest.waves, manifest.soak) == (False, False, (), None)
