"""Nothing of a cut runs ahead of its admission, whatever else is missing from the plan."""

from __future__ import annotations

import pytest

from millpond.model.address import Address
from millpond.model.change import Change, Waiting
from millpond.planning.ordering import ordered

GATE = Waiting(Address("acme", "gate", "pilot"), "admission", wave="pilot")


@pytest.mark.parametrize(
    ("kind", "action"), [("source_server", "record"), ("source_volume", "record"), ("volume", "release"), ("volume", "manage")]
)
def test_a_held_gate_holds_the_first_steps_of_its_wave_alone(kind: str, action: str) -> None:
    own = Change(Address("acme", kind, "own"), action, wave="pilot", servers=("server-1",))
    other = Change(Address("acme", kind, "other"), action, wave="rest", servers=("server-2",))
    steps = {step.id: step for step in ordered((GATE, own, other))}
    assert steps[own.id].after == (GATE.id,)
    assert steps[other.id].after == ()
