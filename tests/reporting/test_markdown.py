"""Whatever a tenant calls its servers: in a comment it is read, and does nothing. Judged by a CommonMark parser with GitHub's tables."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from millpond.model.address import Address
from millpond.model.change import Change, FieldChange
from millpond.model.finding import Finding, Severity
from millpond.model.plan import OutageEstimate, Stage, TenantPlan, WaveStatus
from millpond.model.plan_document import PlanDocument
from millpond.reporting.hosts import HOSTS, fitting
from millpond.reporting.markdown import code, fence, inert, prose, table
from millpond.reporting.plan_markdown import plan_markdown

from . import examples

PARSER = MarkdownIt("commonmark").enable("table").enable("strikethrough")
NASTY = (
    "@everyone", "@org/team", "#12", "org/repo#1", "GH-7", "!5", "~label", "&3", "%4", "$9", "$`x`$", "http://evil.example", "www.evil.example",
    "a@b.example", "mailto:a@b.example", "`", "``", "```", "~~~", "|", "\\|", "\\", "\n", "\r\n", "\n\n", "\n```\n", "</details>", "<script>", "<!--",
    "-->", "<https://evil.example>", "[x](http://evil.example)", "![x](http://evil.example)", "[x]: http://evil.example", "**b**", "_i_", "> ",
    "# ", "- ", "/close", "\n/approve\n", "&lt;", "&#64;", "\u202e", "\u200b", "\u2028", "\x1b[31m", "\x00", "deadbeef12", "web-1", " ",
)  # fmt: skip
nasty = st.lists(st.one_of(st.sampled_from(NASTY), st.text(max_size=5)), max_size=6).map("".join)
OURS = re.compile(r"</?details>|<summary><code>.*</code>[^<>]*</summary>|<!-- millpond:[A-Za-z0-9._-]* -->")
FOUND_BY_HOSTS = re.compile(r"@\w|(?:^|\W)[#!$%&~]\d|\bGH-\d|://|www\.|\b[0-9a-f]{7,40}\b(?=.*\d)|mailto:\w")


def tokens(text: str) -> Iterator[Token]:
    for token in PARSER.parse(text):
        yield token
        yield from token.children or ()


def live(text: str) -> list[str]:
    """What a host would turn into something: links, HTML that is not ours, emphasis that is not ours, references in plain text."""
    found = []
    for token in tokens(text):
        if token.type in ("link_open", "image", "html_inline", "s_open", "em_open"):
            found.append(f"{token.type} {token.content} {token.attrs}")
        if token.type == "html_block" and OURS.sub("", token.content).strip():
            found.append(token.content)
        if token.type == "text" and FOUND_BY_HOSTS.search(token.content):
            found.append(token.content)
    return found


@given(nasty)
def test_code_is_one_span_of_what_was_given(text: str) -> None:
    inline = PARSER.parseInline(f"x {code(text, 1000)} y")[0].children or []
    assert [token.type for token in inline] == ["text", "code_inline", "text"]
    assert inline[1].content.strip() == (inert(text).strip() or ("-" if not text else ""))


@given(nasty)
def test_prose_is_text_and_code_alone(text: str) -> None:
    written = f"- **x**: {prose(f'the server {text} has `{text}`')}"
    assert live(written) == []
    assert {t.type for t in tokens(written)} <= {
        "bullet_list_open", "list_item_open", "paragraph_open", "inline", "strong_open", "strong_close", "text", "code_inline",
        "paragraph_close", "list_item_close", "bullet_list_close",
    }  # fmt: skip


@given(st.lists(nasty, min_size=1, max_size=5))
def test_a_fence_holds_all_of_its_lines(lines: list[str]) -> None:
    found = PARSER.parse("\n".join(["before", "", *fence(lines, "diff"), "", "after"]))
    assert [token.type for token in found if token.type in ("fence", "inline", "code_block", "html_block")] == ["inline", "fence", "inline"]
    assert next(token for token in found if token.type == "fence").content.count("\n") == len(lines)


@given(nasty, nasty)
def test_a_table_keeps_its_columns(one: str, other: str) -> None:
    found = list(tokens("\n".join(table([("A", "B", "C"), (code(one), prose(other), "x")]))))
    assert [token.type for token in found].count("td_open") == 3
    assert found[[token.type for token in found].index("td_open", 0)].type == "td_open"
    assert [t.content for t in found if t.type == "inline"][-1] == "x"


@pytest.mark.parametrize(("text", "shown"), [("a\nb", "a\\nb"), ("\u202egnp", "\\u202egnp"), ("web-1", "web-1"), ("\x1b[2J", "\\u001b[2J")])
def test_what_cannot_be_seen_is_spelled_out(text: str, shown: str) -> None:
    assert inert(text) == shown


def test_ids_and_commands_in_sentences_become_code() -> None:
    text = prose("volume 9efb40b6-a96d-4be8-81cc-f5828f0af651: run `openstack volume show`")
    assert text == "volume `9efb40b6-a96d-4be8-81cc-f5828f0af651`: run `openstack volume show`"


def hostile(name: str) -> PlanDocument:
    """A plan in which everything that a tenant can name has this name."""
    target = Address("acme", "server", name)
    stop = Change(
        Address("acme", "source_server", name), "stop", f"because of {name}", name, danger=True, outage=True,
        fields=(FieldChange(f"metadata.{name}", name, [name, {name: name}]), FieldChange("long", None, name * 40)),
    )  # fmt: skip
    finding = Finding("x", Severity.BLOCKER, target, f"server {name} is busy", name, f"look at {name}", wave=name, patch=f"a: {name}")
    one = TenantPlan(
        "acme", examples.DIGEST, (stop,), (finding, replace(finding, severity=Severity.WARNING)), waves=(WaveStatus(name, Stage.CUT, name, (str(target),)),),
        outage=OutageEstimate(((str(target), 50.0),), (stop.id,)),
    )  # fmt: skip
    plan = examples.plan(one, replace(one, tenant=name), errors=((name, name),), findings=(finding,))
    return PlanDocument(plan, examples.NOON + timedelta(hours=1), site=name, wave=name, git_sha="3f2a9c01" * 5)


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("name", NASTY)
def test_no_name_comes_to_life_in_a_plan(host: str, name: str) -> None:
    text = plan_markdown(hostile(f"web{name}1 {name}"), HOSTS[host])
    assert live(text) == []
    assert shape(text) == shape(plan_markdown(hostile("web-1"), HOSTS[host]))


@given(nasty)
def test_nor_any_mix_of_them(name: str) -> None:
    assert live(plan_markdown(hostile(name), HOSTS["github"])) == []


def shape(text: str) -> list[str]:
    """The blocks of a document, without what is written in them."""
    inner = ("text", "code_inline", "inline", "softbreak")
    return [token.type for token in PARSER.parse(text) if token.type not in inner]


@pytest.mark.parametrize("fit", ["github", "gitlab", "bitbucket", "20000"])
def test_a_fit_is_a_host_or_a_number(fit: str) -> None:
    assert fitting(fit).limit >= 20000


@pytest.mark.parametrize("fit", ["", "gitea", "-1", "12", "1e9"])
def test_another_fit_is_refused(fit: str) -> None:
    with pytest.raises(ValueError, match="none of github, gitlab, bitbucket, nor a number"):
        fitting(fit)
