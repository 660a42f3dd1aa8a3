"""A plan in all forms but the one for terminals."""

from __future__ import annotations

from functools import partial

from millpond.cli.forms import Writers
from millpond.model.plan_document import PlanDocument
from millpond.reporting.gitlab_json import gitlab_document
from millpond.reporting.hosts import Host
from millpond.reporting.plan_markdown import plan_markdown
from millpond.reporting.planfile import plan_document_text


def plan_forms(document: PlanDocument, host: Host) -> Writers:
    return {
        "json": partial(plan_document_text, document),
        "markdown": partial(plan_markdown, document, host),
        "gitlab": partial(gitlab_document, document.plan),
    }
