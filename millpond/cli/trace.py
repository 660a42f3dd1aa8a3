"""Keeps the trace of a defect in a file, for whoever reports it."""

from __future__ import annotations

import os
import traceback
from datetime import UTC, datetime

from millpond.cli.say import SITE
from millpond.execution.redaction import redact, secrets_of


def keep_trace(error: BaseException) -> str:
    """The file, below `.millpond` of the site's directory; empty where none can be written. Credentials are masked."""
    directory = SITE.get() / ".millpond"
    path = directory / f"trace-{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}.txt"
    text = "".join(traceback.format_exception(error))
    try:
        directory.mkdir(exist_ok=True)
        path.write_text(redact(text, secrets_of(os.environ)), encoding="utf-8")
    except OSError:
        return ""
    return str(path)
