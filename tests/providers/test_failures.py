import pytest
import requests
import urllib3.exceptions

from millpond.errors import NotFound, Refused, RemoteFailure, Retryable, UnknownOutcome
from millpond.providers.failures import classify, never_sent, of_status, service_message


@pytest.mark.parametrize(
    ("status", "mutating", "expected"),
    [
        (404, True, NotFound),
        (409, True, Refused),
        (403, False, Refused),
        (501, True, Refused),
        (429, True, Retryable),
        (503, True, Retryable),
        (500, True, UnknownOutcome),
        (502, True, UnknownOutcome),
        (504, True, UnknownOutcome),
        (500, False, Retryable),
        (504, False, Retryable),
    ],
)
def test_a_status_means_the_same_everywhere(status: int, mutating: bool, expected: type[RemoteFailure]) -> None:
    failure = of_status(status, "said so", "cloud: POST /x", mutating=mutating)
    assert type(failure) is expected
    assert failure.why == f"said so (HTTP {status})"
    assert failure.where == "cloud: POST /x"


def test_a_refusal_keeps_its_status_and_says_what_to_do() -> None:
    failure = of_status(403, "Policy doesn't allow it", "cloud", mutating=True)
    assert isinstance(failure, Refused)
    assert failure.status == 403
    assert "admin role" in failure.fix


def refused_connection() -> requests.ConnectionError:
    cause = urllib3.exceptions.NewConnectionError(urllib3.connection.HTTPConnection("127.0.0.1"), "Connection refused")
    return requests.ConnectionError(urllib3.exceptions.MaxRetryError(urllib3.HTTPConnectionPool("127.0.0.1"), "/x?token=1", cause))


def lost_reply() -> requests.ConnectionError:
    return requests.ConnectionError(urllib3.exceptions.ProtocolError("Connection aborted.", ConnectionResetError(104, "reset")))


def test_a_call_that_never_left_may_be_made_again() -> None:
    assert never_sent(refused_connection())
    failure = classify(refused_connection(), "cloud", mutating=True)
    assert type(failure) is Retryable
    assert failure.why == "connection refused"
    assert never_sent(requests.exceptions.SSLError("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed"))


@pytest.mark.parametrize(
    ("error", "why"), [(lost_reply(), "the connection was lost"), (requests.exceptions.ReadTimeout("x"), "no answer in time")]
)
def test_a_lost_reply_of_a_mutating_call_is_unknown(error: requests.RequestException, why: str) -> None:
    failure = classify(error, "cloud", mutating=True)
    assert type(failure) is UnknownOutcome
    assert failure.why == why
    assert type(classify(error, "cloud", mutating=False)) is Retryable


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        ({"conflictingRequest": {"code": 409, "message": "Cannot 'stop' instance"}}, "Cannot 'stop' instance"),
        ({"NeutronError": {"type": "IpAddressInUse", "message": "Unable", "detail": ""}}, "Unable"),
        ({"NeutronError": "plain text"}, "plain text"),
        ({"error": {"code": 401, "title": "Unauthorized", "message": "The request you have made"}}, "The request you have made"),
        ({"errors": [{"status": 409, "detail": "in use", "title": "Conflict"}]}, "in use"),
        ({"message": "badly"}, "badly"),
        ([], ""),
        (None, ""),
    ],
)
def test_finds_the_sentence_in_every_service_s_answer(payload: object, message: str) -> None:
    assert service_message(payload) == message
