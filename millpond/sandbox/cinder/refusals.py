"""Cinder's refusals, in its own words (cinder/exception.py)."""

from millpond.sandbox.core.errors import ApiError


def invalid_volume(reason: str) -> ApiError:
    return ApiError(400, f"Invalid volume: {reason}")


def invalid_input(reason: str) -> ApiError:
    return ApiError(400, f"Invalid input received: {reason}")


def no_volume(id: str) -> ApiError:
    return ApiError(404, f"Volume {id} could not be found.")


def no_snapshot(id: str) -> ApiError:
    return ApiError(404, f"Snapshot {id} could not be found.")


def no_type(id: str) -> ApiError:
    return ApiError(404, f"Volume type {id} could not be found.")


def over_limit(message: str) -> ApiError:
    return ApiError(413, message)
