"""The Rego tests of the policy, which `opa test` and `conftest verify` run, played by the interpreter that is at hand here.

That one (rego-cpp) finds no built-in function in what is asked for `with input as`: so the input that a test names is given to it before,
and the words are left out. All else is as it stands in the file.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.docs.test_policy import document
from tests.reporting import examples

regopy = pytest.importorskip("regopy", reason="no wheel for this platform")
POLICY = (Path(__file__).parents[2] / "examples/policy/millpond.rego").read_text()
TESTS = (Path(__file__).parents[2] / "examples/policy/millpond_test.rego").read_text()
FOUND = dict(re.findall(r"^(test_\w+) if \{\n(.*?)^\}", TESTS, re.MULTILINE | re.DOTALL))
GIVEN = re.compile(r" with input as (\w+)")


def asked(name: str, given: Any, policy: str) -> Any:
    interpreter = regopy.Interpreter()
    interpreter.add_module("policy", policy)
    interpreter.add_module("tests", GIVEN.sub("", TESTS))
    interpreter.set_input(given)
    output = interpreter.query(f"data.main.{name}")
    assert output.ok()  # to print one that is not ends the process
    return None if str(output) == "undefined" else json.loads(str(output))["expressions"][0]


def passes(test: str, policy: str = POLICY) -> bool:
    (document,) = GIVEN.findall(FOUND[test])
    return bool(asked(test, asked(document, {}, policy), policy))


@pytest.mark.parametrize("test", FOUND)
def test_it_passes(test: str) -> None:
    assert passes(test)


def test_every_rule_has_a_test_that_needs_it() -> None:
    """A policy without one of its rules fails a test."""
    rules = re.findall(r"^(?:deny|warn) contains .*?^\}\n", POLICY, re.MULTILINE | re.DOTALL)
    assert len(rules) == POLICY.count(" contains msg if {")
    for rule in rules:
        left = POLICY.replace(rule, "")
        left += f'\n{rule.split()[0]} contains msg if {{\n\tinput.nothing\n\tmsg := ""\n}}\n'
        assert [test for test in FOUND if not passes(test, left)], rule


def test_documents_have_the_words_of_a_plan() -> None:
    """A test on words that no plan has would pass for nothing."""
    plan = document(examples.FULL)
    for name in sorted({name for body in FOUND.values() for name in GIVEN.findall(body)}):
        given = asked(name, {}, POLICY)
        assert set(given) <= set(plan)
        known = {key for change in plan["resource_changes"] for key in change}
        assert {key for change in given["resource_changes"] for key in change} <= known
        assert {key for tenant in given["tenants"] for key in tenant} <= {key for tenant in plan["tenants"] for key in tenant}
