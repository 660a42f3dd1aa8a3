"""The query string of a list request: filters, fields, sorting and pages (neutron/api/api_common.py)."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from multidict import MultiMapping
from yarl import URL

from millpond.sandbox.core.store import Row
from millpond.sandbox.neutron.refusals import refused

RESERVED = ("fields", "limit", "marker", "page_reverse", "sort_key", "sort_dir")
ALWAYS = ("project_id", "tenant_id", "tags", "tags-any", "not-tags", "not-tags-any")
Test = Callable[[Row, list[str]], bool]


@dataclass(frozen=True)
class Query:
    filters: dict[str, list[str]]
    fields: tuple[str, ...]
    limit: int | None
    marker: str | None
    reverse: bool
    sort: tuple[tuple[str, bool], ...]
    """Keys and whether each descends."""

    def select(self, rows: list[Row], not_found: str) -> list[Row]:
        """The rows that pass all filters, in order, cut to the page; the refusal `not_found` for a marker that is not there."""
        found = [row for row in rows if all(_passes(row, name, values) for name, values in self.filters.items())]
        # A page needs a total order; without one the order is that of creation.
        keys = [*self.sort, ("id", False)] if self.sort or self.limit is not None else []
        for key, descending in reversed(keys):
            found.sort(key=lambda row: (row.get(key) is not None, str(row.get(key))), reverse=descending)
        if self.reverse:
            found.reverse()
        return self._page(found, not_found)

    def _page(self, rows: list[Row], not_found: str) -> list[Row]:
        start = 0
        if self.marker is not None:
            ids = [row["id"] for row in rows]
            if self.marker not in ids:
                raise refused(not_found, id=self.marker)
            start = ids.index(self.marker) + 1
        chosen = rows[start:] if self.limit is None else rows[start : start + self.limit]
        return chosen[::-1] if self.reverse else chosen

    def links(self, url: URL, page: list[Row]) -> list[dict[str, str]]:
        """As Neutron gives them: a full page has a next one, though it may be empty."""
        links = []
        if self.limit is None or not page:
            return []
        if len(page) == self.limit or self.reverse:
            links.append({"rel": "next", "href": str(_without_direction(url).update_query(marker=page[-1]["id"]))})
        if self.marker is not None and (not self.reverse or len(page) == self.limit):
            links.append({"rel": "previous", "href": str(url.update_query(marker=page[0]["id"], page_reverse="True"))})
        return links

    def cut(self, view: Row) -> Row:
        return {name: value for name, value in view.items() if name in self.fields} if self.fields else view


def parse(arguments: MultiMapping[str], known: Collection[str], extensions: Collection[str]) -> Query:
    """Raises 400 for a filter on an unknown attribute where the cloud validates filters; ignores it where not."""
    filters = {name: list(arguments.getall(name)) for name in dict.fromkeys(arguments) if name not in RESERVED}
    if "empty-string-filtering" not in extensions:
        filters = {name: [value for value in values if value] for name, values in filters.items()}
    unknown = [name for name in filters if name not in known and name not in ALWAYS]
    if unknown and "filter-validation" in extensions:
        raise refused("HTTPBadRequest", reason=f"{unknown} is invalid attribute for filtering")
    directions = arguments.getall("sort_dir", [])
    sort = arguments.getall("sort_key", [])
    return Query(
        filters={name: values for name, values in filters.items() if values and name not in unknown},
        fields=tuple(arguments.getall("fields", [])),
        limit=_limit(arguments.get("limit")),
        marker=arguments.get("marker"),
        reverse=str(arguments.get("page_reverse", "")).lower() == "true",
        sort=tuple((key, directions[at : at + 1] == ["desc"]) for at, key in enumerate(sort)),
    )


def _limit(text: str | None) -> int | None:
    if text is None:
        return None
    if not text.isdigit():
        raise refused("HTTPBadRequest", reason=f"Limit must be an integer 0 or greater and not '{text}'")
    return int(text) or None


def _without_direction(url: URL) -> URL:
    return url.without_query_params("page_reverse")


def _passes(row: Row, name: str, values: list[str]) -> bool:
    if name in SPECIAL:
        return SPECIAL[name](row, values)
    if name == "mac_address":  # MariaDB's comparison knows no case
        return any(row[name].lower() == value.lower() for value in values)
    found = row.get("project_id" if name == "tenant_id" else name)
    if isinstance(found, list):
        return any(value in found for value in values)
    return any(_equal(found, value) for value in values)


def _equal(found: Any, value: str) -> bool:
    if isinstance(found, bool):
        return str(found).lower() == value.lower() or str(int(found)) == value
    if found is None:
        return value in ("", "null")
    return str(found) == value


def _split(values: list[str]) -> set[str]:
    return {tag for value in values for tag in value.split(",")}


def _fixed_ips(row: Row, values: list[str]) -> bool:
    """`subnet_id=<id>`, `ip_address=<ip>`, `ip_address_substr=<part>`; one address must pass all that are given."""
    wanted: dict[str, set[str]] = {}
    for value in values:
        name, _, text = value.partition("=")
        wanted.setdefault(name, set()).add(text)
    parts = wanted.pop("ip_address_substr", {""})
    return any(
        all(item.get(name) in texts for name, texts in wanted.items()) and any(part in item["ip_address"] for part in parts)
        for item in row["fixed_ips"]
    )


SPECIAL: dict[str, Test] = {
    "fixed_ips": _fixed_ips,
    "tags": lambda row, values: _split(values) <= set(row.get("tags", [])),
    "tags-any": lambda row, values: bool(_split(values) & set(row.get("tags", []))),
    "not-tags": lambda row, values: not _split(values) <= set(row.get("tags", [])),
    "not-tags-any": lambda row, values: not _split(values) & set(row.get("tags", [])),
}
