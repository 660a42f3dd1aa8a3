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
