"""What the array answers when it refuses: an error code, a message and the reasons behind it."""

from collections.abc import Sequence

from millpond.sandbox.core.web import ApiError


class Refusal(ApiError):
    """`code` is the array's own error code; `reasons` are sentences shown in `error.reasons`; `is_remote` tells the peer's refusals."""

    def __init__(self, status: int, code: str, message: str, reasons: Sequence[str] = (), is_remote: bool = False) -> None:
        super().__init__(status, message, code)
        self.reasons = tuple(reasons)
        self.is_remote = is_remote


def conflict(code: str, message: str) -> Refusal:
    return Refusal(409, code, message)


def bad_request(code: str, message: str) -> Refusal:
    return Refusal(400, code, message)


def remote(refusal: ApiError) -> Refusal:
    """The peer's refusal as this array reports it."""
    return Refusal(refusal.status, str(refusal.code or "REMOTE_ERROR"), refusal.message, is_remote=True)
