"""What the demo leaves to be played with works where git knows nobody."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

from demo.world import World


def test_the_first_commit_of_the_shop_needs_no_configuration_of_git(tmp_path: Path) -> None:
    world = World(tmp_path / "demo")
    world.state.mkdir(parents=True)
    urls = {"control": "http://127.0.0.1:8180", "ibox-a": "http://127.0.0.21:8180", "ibox-b": "http://127.0.0.22:8180"}
    (world.state / "endpoints.json").write_text(json.dumps(urls))
    assert world.prepare_shop() == 8181
    (tmp_path / "home").mkdir()
    bare = {"PATH": os.environ["PATH"], "HOME": str(tmp_path / "home"), "GIT_CONFIG_NOSYSTEM": "1"}
    for command in (["add", "-A"], ["commit", "-q", "-m", "Take acme in"]):
        subprocess.run(["git", "-c", "user.useConfigOnly=true", *command], cwd=tmp_path / "demo/shop/site", env=bare, check=True)
