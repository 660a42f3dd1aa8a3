"""What the schema refuses, in the words that a person reads."""

from __future__ import annotations

import pytest

from millpond.schemas import load_manifest
from tests.schemas.writing import HEAD, HEAD_LINES, SiteDirectory, lines

WRONG = {
    "unknown key": ("cutovr: true", "7:3: unknown key `cutovr` in `spec` -> did you mean `cutover`?"),
    "unknown key in other spelling": (
        "keepPairsUntil: x",
        "7:3: unknown key `keepPairsUntil` in `spec` -> did you mean `keep_pairs_until`?",
    ),
    "unknown key without likeness": (
        "window: {opens: 2026-12-01T22:00:00Z, closes: 2026-12-01T23:00:00Z, zzz: 1}",
        "7:71: unknown key `zzz` in `spec.window` -> known keys: opens, closes",
    ),
    "missing key": (
        "waves:\n  - servers: [a]",
        "8:7: `spec.waves[0]` has no `name` (Name of the wave.) -> add `name:`",
    ),
    "quoted boolean": (
        "cutover: 'yes'",
        "7:12: `spec.cutover` must be true or false, but is `yes` (quotes make it a text) -> write true without quotes",
    ),
    "text for a boolean": ("cutover: later", "7:12: `spec.cutover` must be true or false, but is `later`"),
    "boolean as a name": (
        "servers: [{name: False, flavor: m2}]",
        "7:20: `spec.servers[0].name` must be a text, but is `False`, which YAML reads as false -> put it between quotes: 'False'",
    ),
    "number as a name": (
        "waves: [{name: a, servers: [17]}]",
        "7:31: `spec.waves[0].servers[0]` must be a server's name, or {source_id: ID}, but is `17`",
    ),
    "octal number": (
        "quotas: {cores: 0100}",
        "7:19: `spec.quotas.cores` must be a whole number (-1: unlimited), but is `0100` -> write it in digits alone, without leading zeros",
    ),
    "number in quotes": (
        "quotas: {cores: '60'}",
        "7:19: `spec.quotas.cores` must be a whole number (-1: unlimited), but is `60` (quotes make it a text) -> write it without quotes",
    ),
    "too small": ("quotas: {cores: -2}", "7:19: `spec.quotas.cores` must be a whole number (-1: unlimited), but is `-2`"),
    "nothing where a list belongs": ("waves:", "7:9: `spec.waves` must be a list, but is empty -> write a value, or delete the key"),
    "mapping for a list": ("waves: {name: a}", "7:10: `spec.waves` must be a list, but is a mapping"),
    "list for a mapping": ("quotas: [cores]", "7:11: `spec.quotas` must be a mapping, but is a list"),
    "duration": ("soak: 3 days", "7:9: `spec.soak` must be a duration such as 90s, 5m, 72h or 3d, but is `3 days`"),
    "duration without unit": ("soak: 30", "7:9: `spec.soak` must be a duration such as 90s, 5m, 72h or 3d, but is `30`"),
    "time without offset": (
        "keep_pairs_until: 2026-12-01 22:00:00",
        "7:21: `spec.keep_pairs_until` must be a time with its offset, but is `2026-12-01 22:00:00`"
        " (without an offset nobody can tell which moment is meant)"
        " -> write 2026-12-01T22:00:00+01:00 for Central European time, 2026-12-01T22:00:00Z for UTC",
    ),
    "no time": (
        "keep_pairs_until: tomorrow",
        "7:21: `spec.keep_pairs_until` must be a time with its offset, but is `tomorrow` -> write it as in 2026-12-01T22:00:00+01:00",
    ),
    "enum": (
        "rollback: {cut: 20261201T220000Z, target_writes: carry-back}",
        "7:52: `spec.rollback.target_writes` must be `discard` or `carry_back`, but is `carry-back` -> did you mean `carry_back`?",
    ),
    "number in place of a choice": ("adoption: 3", "7:13: `spec.adoption` must be `precreate` or `manage`, but is `3`"),
    "neither name nor id": (
        "servers: [{flavor: m2}]",
        "7:13: `spec.servers[0]` needs exactly one of `name` and `source_id` (it has none) -> add `name` or `source_id`",
    ),
    "name and id": (
        "servers: [{name: a, source_id: b}]",
        "7:13: `spec.servers[0]` needs exactly one of `name` and `source_id` (it has `name` and `source_id`) -> delete all but one",
    ),
    "empty reason": ("exclude: [{server: a, reason: ''}]", "7:33: `spec.exclude[0].reason` must be a text, but is empty"),
    "wrong reference": (
        "waves: [{name: a, servers: [{nme: b, source_id: c}]}]",
        "7:32: unknown key `nme` in `spec.waves[0].servers[0]` -> known keys: source_id",
    ),
    "list as reference": (
        "waves: [{name: a, servers: [[b]]}]",
        "7:31: `spec.waves[0].servers[0]` must be a server's name, or {source_id: ID}, but is a list",
    ),
}


@pytest.mark.parametrize(("spec", "line"), WRONG.values(), ids=WRONG.keys())
def test_a_wrong_value_is_told_in_one_sentence(site: SiteDirectory, spec: str, line: str) -> None:
    path = site.manifest(spec)
    assert lines(site.problems(lambda: load_manifest(path))) == [f"tenants/acme.yaml:{line}"]


def test_a_key_at_the_top_that_belongs_under_spec_is_told_so(site: SiteDirectory) -> None:
    path = site.manifest("adoption: manage")
    path.write_text(path.read_text() + "approvals: []\nzzz: 1\n")
    assert [line.partition(": ")[2] for line in lines(site.problems(lambda: load_manifest(path)))] == [
        "unknown key `approvals` -> it belongs under `spec`",
        "unknown key `zzz` -> known keys: apiVersion, kind, metadata, spec",
    ]


def test_the_spec_begins_where_the_table_says() -> None:
    assert HEAD_LINES == 6


def test_everything_missing_is_told_at_once(site: SiteDirectory) -> None:
    path = site.write("x.yaml", "kind: Tenat\nspec:\n  source: {cloud: old, domain: Default}\n")
    assert lines(site.problems(lambda: load_manifest(path))) == [
        "x.yaml:1:1: the document has no `apiVersion` (Version of this document's shape.) -> add `apiVersion: millpond.dev/v1`",
        "x.yaml:1:1: the document has no `metadata` (Identity of the document.) -> add `metadata:`",
        "x.yaml:1:7: `kind` must be `Tenant`, but is `Tenat` -> did you mean `Tenant`?",
        "x.yaml:2:1: `spec` has no `target` (The project on the target cloud. It is created where it does not exist.) -> add `target:`",
        "x.yaml:3:3: `spec.source` has no `project` (Name of the project.) -> add `project:`",
    ]


def test_flags_are_the_same_to_every_reader_of_yaml(site: SiteDirectory) -> None:
    manifest = load_manifest(site.manifest("cutover: True\ndecommission: FALSE"))
    assert (manifest.cutover, manifest.decommission) == (True, False)
    refused = lines(site.problems(lambda: load_manifest(site.manifest("cutover: on\ndecommission: No\nquotas: {off: 1}"))))
    assert [line.split(" (")[0].split(":", 1)[1] for line in refused] == [
        "7:12: `on` is not the same to all readers",
        "8:17: `No` is not the same to all readers",
    ]


def test_values_that_look_like_numbers_or_dates_stay_texts(site: SiteDirectory) -> None:
    text = HEAD.replace("project: acme}", "project: 2026-12-01}", 1)
    wave = "  waves: [{name: a, servers: [00:16:3e:00:00:01, 0x1f, 010, 1_000, 22:00, 1e3, .inf]}]\n"
    manifest = load_manifest(site.write("x.yaml", text + wave))
    assert manifest.source.project == "2026-12-01"
    assert [each.name for each in manifest.waves[0].servers] == ["00:16:3e:00:00:01", "0x1f", "010", "1_000", "22:00", "1e3", ".inf"]


def test_what_is_told_is_on_one_line_and_cannot_steer_a_terminal(site: SiteDirectory) -> None:
    path = site.manifest('"a\\nb": 1\nsoak: "\\e[2J\\u202e"\nadoption: ' + "x" * 200)
    assert lines(site.problems(lambda: load_manifest(path)))[:2] == [
        "tenants/acme.yaml:7:3: unknown key `a\\nb` in `spec` -> known keys: source, target, cutover, decommission, soak, keep_pairs_until,"
        " adoption, grouping, cutover_at, window, rollback, waves, quotas, servers, volumes, exclude, brake_overrides, approvals",
        "tenants/acme.yaml:8:9: `spec.soak` must be a duration such as 90s, 5m, 72h or 3d, but is `\\x1b[2J\\u202e`",
    ]
    assert lines(site.problems(lambda: load_manifest(path)))[2].endswith(f"but is `{'x' * 60}…`")
