from __future__ import annotations

from pathlib import Path

import pytest

from tests.schemas.writing import SiteDirectory


@pytest.fixture
def site(tmp_path: Path) -> SiteDirectory:
    return SiteDirectory(tmp_path)
