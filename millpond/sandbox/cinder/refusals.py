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


def no_backup(id: str) -> ApiError:
    return ApiError(404, f"Backup {id} could not be found.")


def no_attachment(id: str) -> ApiError:
    return ApiError(404, f"Volume attachment could not be found with filter: attachment_id = {id}.")


def used_by_nova(server_id: str) -> ApiError:
    return ApiError(409, f"Detach volume from instance {server_id} using the Compute API")


def no_type(id: str) -> ApiError:
    return ApiError(404, f"Volume type {id} could not be found.")


def no_zone(name: str) -> ApiError:
    return ApiError(400, f"Availability zone '{name}' is invalid.")


def over_limit(kind: str, message: str) -> ApiError:
    """`kind` is the exception's name: Cinder puts it before what its controllers do not catch (cinder/api/middleware/fault.py)."""
    return ApiError(413, f"{kind}: {message}")
