"""The result of an apply in all forms but the one for terminals."""

from __future__ import annotations

import os
from copy import copy
from dataclasses import replace
from functools import partial
from pathlib import Path

from millpond.cli.forms import Writers
from millpond.errors import MillpondError
from millpond.execution.redaction import redact, secrets_of
from millpond.execution.run import git_sha
from millpond.model.outcome import ApplyResult
from millpond.model.site import Site
from millpond.reporting.hosts import Host
from millpond.reporting.result_json import result_document
from millpond.reporting.result_markdown import result_markdown


def apply_forms(site: Site, result: ApplyResult, host: Host) -> Writers:
    """What services said is in them, without credentials."""
    secrets = secrets_of(os.environ)
    commit = git_sha(os.environ, Path(site.directory))
    shown = replace(
        result,
        errors=tuple((tenant, _redacted(error, secrets)) for tenant, error in result.errors),
        outcomes=tuple(replace(outcome, message=redact(outcome.message, secrets)) for outcome in result.outcomes),
    )
    return {
        "json": partial(result_document, shown, site.name, commit),
        "markdown": partial(result_markdown, shown, site.name, host, commit),
    }


def _redacted(error: MillpondError, secrets: frozenset[str]) -> MillpondError:
    kept = copy(error)
    kept.why = redact(error.why, secrets)
    kept.also = tuple(_redacted(one, secrets) for one in error.also)
    return kept
