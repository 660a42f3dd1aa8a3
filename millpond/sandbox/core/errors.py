"""Each service's own shape of an error answer."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any


class ApiError(Exception):
    """A refusal of a simulated service.

    `code` is the service's own word for it: Neutron's `type`, InfiniBox's `code`, Nova's and Cinder's element name.
    """

    def __init__(self, status: int, message: str, code: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code


# nova/api/openstack/wsgi.py and cinder/api/openstack/wsgi.py, class Fault
FAULT_NAMES = {
    400: "badRequest",
    401: "unauthorized",
    403: "forbidden",
    404: "itemNotFound",
    405: "badMethod",
    409: "conflictingRequest",
    413: "overLimit",
    415: "badMediaType",
    429: "overLimit",
    501: "notImplemented",
    503: "serviceUnavailable",
}
NEUTRON_TYPES = {400: "HTTPBadRequest", 401: "HTTPUnauthorized", 403: "PolicyNotAuthorized", 404: "HTTPNotFound"}


def phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"


def compute_error(error: ApiError) -> Any:
    return {error.code or FAULT_NAMES.get(error.status, "computeFault"): {"code": error.status, "message": error.message}}


def neutron_error(error: ApiError) -> Any:
    kind = error.code or NEUTRON_TYPES.get(error.status, phrase(error.status).replace(" ", ""))
    return {"NeutronError": {"type": kind, "message": error.message, "detail": ""}}


def keystone_error(error: ApiError) -> Any:
    return {"error": {"code": error.status, "message": error.message, "title": phrase(error.status)}}


def glance_error(error: ApiError) -> Any:
    title = phrase(error.status)
    return {"message": f"{error.message}<br /><br />\n\n\n", "code": f"{error.status} {title}", "title": title}


def placement_error(error: ApiError) -> Any:
    body = {"status": error.status, "title": phrase(error.status), "detail": f"{error.message}  "}
    return {"errors": [{**body, "code": error.code or "placement.undefined_code"}]}


ERROR_SHAPES: dict[str, Callable[[ApiError], Any]] = {
    "keystone": keystone_error,
    "nova": compute_error,
    "cinder": compute_error,
    "neutron": neutron_error,
    "glance": glance_error,
    "placement": placement_error,
}
