"""Nova's refusals in Nova's words (nova/exception.py and nova/api/openstack/common.py of Queens to 2023.1)."""

from millpond.sandbox.core.errors import ApiError
from millpond.sandbox.core.store import Row


def bad_request(message: str) -> ApiError:
    return ApiError(400, message)


def forbidden(message: str) -> ApiError:
    return ApiError(403, message)


def conflict(message: str) -> ApiError:
    return ApiError(409, message)


def policy(rule: str) -> ApiError:
    return ApiError(403, f"Policy doesn't allow os_compute_api:{rule} to be performed.")


def no_instance(id: str) -> ApiError:
    return ApiError(404, f"Instance {id} could not be found.")


def no_flavor(id: str, status: int = 404) -> ApiError:
    return ApiError(status, f"Flavor {id} could not be found.")


def no_volume(id: str) -> ApiError:
    return ApiError(404, f"Volume {id} could not be found.")


def locked(server: Row) -> ApiError:
    return conflict(f"Instance {server['id']} is locked")


def wrong_state(server: Row, action: str, attribute: str) -> ApiError:
    return conflict(
        f"Cannot '{action}' instance {server['id']} while it is in {attribute} {server[attribute]}",
    )


def never_launched(server: Row, action: str) -> ApiError:
    return conflict(f"Instance {server['id']} is in an invalid state for '{action}'")


def over_quota(needs: dict[str, int], used: dict[str, int], limits: dict[str, int], overs: list[str]) -> ApiError:
    """`overs` names the exceeded resources; the message gives request, use and limit of each."""

    def column(values: dict[str, int]) -> str:
        return ", ".join(str(values[name]) for name in overs)

    names = ", ".join(overs)
    return forbidden(f"Quota exceeded for {names}: Requested {column(needs)}, but already used {column(used)} of {column(limits)} {names}")
