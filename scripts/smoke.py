"""What a wheel must do once it is installed, far from any source tree.

`smoke.py MILLPOND WHEEL`: the paths of the installed command and of the wheel. Works in the current directory.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SITE = "apiVersion: millpond.dev/v1\nkind: Site\nmetadata: {name: smoke}\nspec: {}\n"
SCHEMAS = ("site", "tenant", "inventory", "plan", "result", "drift")


def check_contents(wheel: str) -> None:
    """One top-level package, with its data."""
    names = zipfile.ZipFile(wheel).namelist()
    top = {name.partition("/")[0] for name in names}
    assert {name for name in top if not name.endswith(".dist-info")} == {"millpond"}, top
    missing = {f"millpond/schemas/{kind}.schema.json" for kind in SCHEMAS} - set(names)
    assert not missing, missing
    assert "millpond/reporting/html/templates/report.html.j2" in names, "the pages' templates are not in the wheel"
    assert any(name.endswith("/licenses/LICENSE") for name in names), "the licence is not in the wheel"


def told(*command: str) -> str:
    finished = subprocess.run(command, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60)
    assert finished.returncode == 0, f"{' '.join(command)} ended with {finished.returncode}:\n{finished.stdout}"
    return finished.stdout


@contextmanager
def sandbox(millpond: str, directory: Path) -> Iterator[None]:
    process = subprocess.Popen([millpond, "sandbox", "--dir", str(directory), "--port", "0"], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("sandbox ready"), "the sandbox did not start"
        yield
    finally:
        process.terminate()
        assert process.wait(20) == 0, "the sandbox did not end well"


def main(millpond: str, wheel: str) -> None:
    check_contents(wheel)
    assert "discover" in told(millpond, "--help")
    for kind in SCHEMAS:
        assert json.loads(told(millpond, "schema", kind))["$schema"], kind
    with sandbox(millpond, Path("sandbox")):
        Path("millpond.yaml").write_text(SITE)
        Path("clouds.yaml").symlink_to("sandbox/clouds.yaml")
        begun = time.monotonic()
        print(told(millpond, "discover", "acme", "--source-cloud", "source-admin", "--target-cloud", "target-admin").splitlines()[0])
        print(told(millpond, "validate").strip(), f"({time.monotonic() - begun:.1f} s)")


if __name__ == "__main__":
    main(*sys.argv[1:])
