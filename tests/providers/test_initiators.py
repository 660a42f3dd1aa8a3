"""The ports of hypervisors that Cinder's attachments tell of."""

from __future__ import annotations

from typing import Any

import pytest

from millpond.providers.open import SiteProviders
from millpond.providers.openstack.parse_block_storage import parse_initiators

TARGETS = ["5742b0f000000001", "5742b0f000000002"]


@pytest.mark.parametrize(
    ("info", "found"),
    [
        ({"driver_volume_type": "fibre_channel", "initiator_target_map": {"10:00:00:90:FA:00:00:01": TARGETS}}, {"10000090fa000001"}),
        ({"data": {"initiator_target_map": {"10000090fa000001": TARGETS, "10000090fa000002": TARGETS}}},
         {"10000090fa000001", "10000090fa000002"}),
        ({"driver_volume_type": "iscsi", "target_iqn": "iqn.2009-11.com", "auth_password": "s3cret"}, set()),
        ({}, set()),
        (None, set()),
    ],
)  # fmt: skip
def test_the_initiators_of_an_attachment(info: dict[str, Any] | None, found: set[str]) -> None:
    row = {"id": "a", "volume_id": "v", "instance": "s", "status": "attached", "connection_info": info}
    assert parse_initiators(row) == (("v", "s"), frozenset(found))


def test_a_cloud_on_iscsi_tells_none(providers: SiteProviders) -> None:
    source = providers.source
    assert dict(source.block_storage.initiators(source.project_id)) == {}


def test_attachments_are_read_to_the_end_though_nothing_says_there_is_more(providers: SiteProviders) -> None:
    storage = providers.source.block_storage
    project = providers.source.identity.projects("acme", "Default")[0].id
    whole = storage.attachments(project)
    assert {(one.volume_id, one.server_id, one.status) for one in whole} == {
        (volume.id, one.server_id, "attached") for volume in storage.volumes(project) for one in volume.attachments
    }
    asked = {"all_tenants": "1", "project_id": project}
    one_by_one = storage._cinder.rows("/attachments", "attachments", asked, limit=1, linked=False)  # type: ignore[attr-defined]
    assert [row["id"] for row in one_by_one] == [one.id for one in whole]
    assert len(whole) > 1
