"""How tests reach the lab that is up."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.lab.directory import lab_directory

STATE = "lab.json"


@dataclass(frozen=True)
class Lab:
    """`directory` holds clouds.yaml and secure.yaml, in which both clouds are named; `arrays`: name → URL of its API."""

    directory: Path
    source_cloud: str
    target_cloud: str
    arrays: dict[str, str]


def running_lab() -> Lab | None:
    """The lab that `up` left running; None before the first `up`, and after `down`."""
    record = lab_directory() / STATE
    if not record.exists():
        return None
    fields = json.loads(record.read_text())
    return Lab(**{**fields, "directory": Path(fields["directory"])})


def write_state(lab: Lab) -> None:
    record = lab_directory() / STATE
    record.write_text(json.dumps({**asdict(lab), "directory": str(lab.directory)}, indent=2) + "\n")


def remove_state() -> None:
    (lab_directory() / STATE).unlink(missing_ok=True)
