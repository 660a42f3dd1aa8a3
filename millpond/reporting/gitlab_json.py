"""The counts that GitLab's merge request shows from a report of the kind `terraform`."""

from __future__ import annotations

import json

from millpond.model.plan import Plan
from millpond.reporting.summary import all_changes, counts


def gitlab_document(plan: Plan) -> str:
    found = counts(all_changes(plan))
    return json.dumps({"create": found.add, "update": found.change, "delete": found.destroy}) + "\n"
