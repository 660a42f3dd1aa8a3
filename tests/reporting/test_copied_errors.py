"""An error is copied to be shown without credentials, whatever its constructor asks for."""

from __future__ import annotations

from copy import copy

import pytest

from millpond.errors import InvalidDocument, LeaseHeld, MillpondError, MissingCloud, NotFound, Problem, Refused

ERRORS = [
    MissingCloud("rhosp13", "no such cloud", where="clouds.yaml", fix="Add it."),
    Refused("no", status=403, where="acme/server/web-1"),
    NotFound("gone", where="acme/server/web-1"),
    InvalidDocument((Problem("millpond.yaml:1:1", "wrong"),)),
    LeaseHeld("another run", command="millpond status acme"),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_a_copy_is_the_same_and_its_own(error: MillpondError) -> None:
    twin = copy(error)
    assert type(twin) is type(error)
    assert (vars(twin), str(twin)) == (vars(error), str(error))
    twin.why = "(sensitive value)"
    assert error.why != twin.why
