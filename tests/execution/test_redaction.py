import time

import pytest

from millpond.execution.redaction import redact, secrets_of

CANARY = "c4n4ry-S3cret"


@pytest.mark.parametrize(
    "text",
    [
        f"could not connect to postgresql://millpond:{CANARY}@db.example/millpond",
        f'POST /v2.1/servers {{"server": {{"adminPass": "{CANARY} with blanks", "name": "web"}}}}',
        f"body: {{'password': '{CANARY}'}}",
        f"X-Auth-Token: {CANARY}",
        f'"{{\\"user_data\\": \\"{CANARY} and more\\"}}"',
        f"Authorization: Basic {CANARY}",
        f"Set-Cookie: {CANARY}; Path=/",
        f"OS_PASSWORD={CANARY}",
        f"?api_key={CANARY}&page=2",
    ],
)
def test_credentials_in_text_are_masked(text: str) -> None:
    masked = redact(text)
    assert CANARY not in masked
    assert "(sensitive value)" in masked
    assert "and more" not in masked
    assert "with blanks" not in masked


def test_a_fernet_token_is_known_by_its_looks() -> None:
    assert redact("denied for gAAAAABn0k3n0k3n0k3n0k3n0k3_-x==.") == "denied for (sensitive value)."


def test_known_secrets_are_masked_wherever_they_stand() -> None:
    assert redact(f"login as admin/{CANARY} refused", {CANARY}) == "login as admin/(sensitive value) refused"


def test_what_is_not_a_credential_stays() -> None:
    text = "acme/server/web-1: 409 Conflict, quota exceeded for cores: requested 4, used 60 of 60 (see password_env: IBOX_PASSWORD_NAME)"
    assert redact(text) == text


def test_the_environment_tells_secrets_by_name() -> None:
    environment = {"OS_PASSWORD": CANARY, "IBOX_TOKEN": "t0ken", "HOME": "/root", "EMPTY_SECRET": ""}
    assert secrets_of(environment) == {CANARY, "t0ken"}


def test_long_text_takes_no_time() -> None:
    began = time.monotonic()
    redact("x" * 200_000 + " " + "password " * 20_000)
    assert time.monotonic() - began < 2
