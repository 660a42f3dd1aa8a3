"""What is wrong with a file before its schema is asked: reading, encoding, YAML itself."""

from __future__ import annotations

import pytest

from millpond.schemas import load_manifest
from tests.schemas.writing import HEAD, SiteDirectory, lines

BROKEN = {
    "empty": (b"", "x.yaml: the file is empty (a document of kind Tenant is expected here) -> see its shape with `millpond schema tenant`"),
    "only a comment": (
        b"# later\n",
        "x.yaml: the file is empty (a document of kind Tenant is expected here) -> see its shape with `millpond schema tenant`",
    ),
    "a list": (b"\n- a\n", "x.yaml:2:1: the document must be a mapping (kind Tenant begins with `apiVersion:`)"),
    "a text": (b"acme", "x.yaml:1:1: the document must be a mapping (kind Tenant begins with `apiVersion:`)"),
    "Latin-1": (b"kind: Tenant\nname: K\xf6ln\n", "x.yaml:2:8: the file is not UTF-8 (byte 0xf6 is not valid there) -> save it as UTF-8"),
    "UTF-16": (b"\xff\xfek\x00", "x.yaml:1:1: the file is not UTF-8 (byte 0xff is not valid there) -> save it as UTF-8"),
    "a control character": (
        b"kind: a\x07b",
        'x.yaml:1:8: the character U+0007 is not allowed in YAML -> delete it, or write it as an escape between double quotes, as in "\\x07"',
    ),
    "a tab": (
        b"a:\n  b: 1\n\tc: 2\n",
        "x.yaml:3:1: a tab is used for indentation (YAML indents with spaces alone) -> replace the tab by spaces",
    ),
    "a tab where nothing is indented yet": (
        b"a:\n\tb: 1\n",
        "x.yaml:2:1: a tab is used for indentation (YAML indents with spaces alone) -> replace the tab by spaces",
    ),
    "a tab after a dash": (
        b"a:\n  -\tb: 1\n    c: 2\n",
        "x.yaml:2:4: a tab is used for indentation (YAML indents with spaces alone) -> replace the tab by spaces",
    ),
    "a tab behind spaces": (
        b"a:\n  \t- b\n",
        "x.yaml:2:3: a tab is used for indentation (YAML indents with spaces alone) -> replace the tab by spaces",
    ),
    "a boolean of YAML 1.1": (
        b"a: 1\nb: Yes\n",
        "x.yaml:2:4: `Yes` is not the same to all readers (YAML 1.1 has it for a boolean, YAML 1.2 for a text)"
        " -> write true or false, or the text between quotes: 'Yes'",
    ),
    "two documents": (
        b"a: 1\n---\nb: 2\n",
        "x.yaml:2:1: a second document begins here (one file holds one document) -> move it to a file of its own, or delete the line `---`",
    ),
    "a duplicate key": (
        b"a: 1\nb: 2\na: 3\n",
        "x.yaml:3:1: the key `a` is written twice (the first is on line 1; only one can hold) -> delete one of them",
    ),
    "a colon": (
        b"reason: built by: hand\n",
        "x.yaml:1:17: a colon is not possible here -> put a value that contains `: ` between quotes; check the indentation",
    ),
    "an open bracket": (
        b"a: [1, 2\nb: 3\n",
        "x.yaml:2:2: a bracket is not closed (it began on line 1) -> check that every [ and { has its ] and }, with commas between the items",
    ),
    "an open quote": (
        b"a: 'x\nb: 1\n",
        "x.yaml:3:1: a quote is not closed (it began on line 1) -> add the missing quote at the end of the value",
    ),
    "a reserved character": (b"a: @home\n", "x.yaml:1:4: a value cannot begin with this character -> put the value between quotes"),
    "bad indentation": (
        b"a:\n  - b\n c: 1\n",
        "x.yaml:3:2: the indentation does not fit what stands above (it began on line 1)"
        " -> bring the line under its siblings; write a space after `-` and `:`",
    ),
    "an unknown alias": (b"a: *b\n", "x.yaml:1:4: the alias `*b` has no anchor `&b` before it -> write the value out"),
    "an alias of itself": (b"a: &b [*b]\n", "x.yaml:1:8: the alias `*b` refers to itself -> write the value out"),
    "a tag": (
        b"a: !!python/name:os.system x\n",
        "x.yaml:1:4: the tag `tag:yaml.org,2002:python/name:os.system` is not supported -> delete the tag; write texts between quotes",
    ),
    "a list as key": (b"? [a]\n: b\n", "x.yaml:1:3: a key must be a single text"),
    "a merged list": (b"<<: [1]\n", "x.yaml:1:1: `<<` can merge mappings only"),
    "deep nesting": (b"[" * 100_000, "x.yaml:1:41: the file is nested more than 40 levels deep"),
    "another kind": (
        b"apiVersion: millpond.dev/v1\nkind: Site\n",
        "x.yaml:2:7: this is a document of kind Site (a document of kind Tenant is expected here) -> check the file's name",
    ),
}


@pytest.mark.parametrize(("data", "line"), BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_file_is_told_in_one_sentence(site: SiteDirectory, data: bytes, line: str) -> None:
    path = site.write("x.yaml", data)
    assert lines(site.problems(lambda: load_manifest(path))) == [line]


def test_aliases_that_expand_to_too_much_are_refused(site: SiteDirectory) -> None:
    levels = "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 9))
    path = site.write("x.yaml", f"a0: &a0 [{', '.join('abcdefghi')}]\n{levels}")
    assert [p.what for p in site.problems(lambda: load_manifest(path))] == ["the aliases of this file expand to too much"]


def test_a_file_that_cannot_be_read_says_why(site: SiteDirectory) -> None:
    assert lines(site.problems(lambda: load_manifest(site.path / "x.yaml"))) == [
        "x.yaml: the file cannot be read (No such file or directory)"
    ]
    assert lines(site.problems(lambda: load_manifest(site.path)))[0].endswith(": the file cannot be read (Is a directory)")


def test_columns_count_characters_not_bytes(site: SiteDirectory) -> None:
    path = site.write("x.yaml", "münster🐟: {a: 1, a: 2}\n")
    assert [p.where for p in site.problems(lambda: load_manifest(path))] == ["x.yaml:1:18"]


def test_a_byte_order_mark_and_windows_line_ends_are_read(site: SiteDirectory) -> None:
    path = site.write("x.yaml", b"\xef\xbb\xbf" + HEAD.replace("\n", "\r\n").encode())
    assert load_manifest(path).name == "acme"


def test_merge_keys_fill_in_what_is_not_written(site: SiteDirectory) -> None:
    text = (
        HEAD
        + "  waves:\n    - &w {name: a, servers: [x], cutover: true}\n    - {<<: *w, name: b}\n    - {name: c, <<: [*w, {cutover: false}]}\n"
    )
    waves = load_manifest(site.write("x.yaml", text)).waves
    assert [(wave.name, wave.cutover, str(wave.servers[0])) for wave in waves] == [("a", True, "x"), ("b", True, "x"), ("c", True, "x")]


def test_all_problems_of_the_text_come_at_once(site: SiteDirectory) -> None:
    path = site.write("x.yaml", "a: 1\na: 2\nb: !x 3\nc: *d\n")
    assert [p.where for p in site.problems(lambda: load_manifest(path))] == ["x.yaml:2:1", "x.yaml:3:4", "x.yaml:4:4"]
