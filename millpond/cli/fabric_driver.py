"""Whether the fabric driver that the site names is installed: told with its place, before anything is asked."""

from __future__ import annotations

from pathlib import Path

from millpond.errors import Problem


def driver_problems(directory: Path) -> list[Problem]:
    """None where the site file names no driver: the default is part of Millpond."""
    from millpond.reconcilers.fabric import driver_names
    from millpond.schemas.nearest import did_you_mean
    from millpond.schemas.site import named_driver

    name, where = named_driver(directory)
    known = driver_names() if name else ()
    if not name or name in known:
        return []
    fix = did_you_mean(name, known, f"one of: {', '.join(known)}")
    return [Problem(where, f"no fabric driver is named `{name}`", "no installed package provides it", fix)]
