"""Features, logins, the system object and custom events."""

from aiohttp import web

from millpond.sandbox.infinibox import firmware
from millpond.sandbox.infinibox.refusal import Refusal
from millpond.sandbox.infinibox.system import system
from millpond.sandbox.infinibox.wire import (
    BASE,
    COOKIE,
    SESSIONS,
    answer,
    box_of,
    document,
    only_known,
    open_session,
    routes,
    single,
)


@routes.get(f"{BASE}/_features")
async def get_features(request: web.Request) -> web.Response:
    return answer(firmware.features(box_of(request).version))


@routes.post(f"{BASE}/users/login")
async def login(request: web.Request) -> web.Response:
    body = await document(request)
    user, password = str(body.get("username")), str(body.get("password"))
    if not box_of(request).accepts(user, password):
        raise Refusal(401, "AUTHENTICATION_FAILED", "Wrong user name or password")
    response = answer({"name": user, "roles": [box_of(request).role_of(user)], "user_objects": []})
    response.set_cookie(COOKIE, open_session(request, user), path="/api/rest", httponly=True)
    return response


@routes.post(f"{BASE}/users/logout")
async def logout(request: web.Request) -> web.Response:
    request.app[SESSIONS].pop(request.cookies.get(COOKIE, ""), None)
    response = answer({})
    response.del_cookie(COOKIE, path="/api/rest")
    return response


@routes.get(f"{BASE}/system")
async def get_system(request: web.Request) -> web.Response:
    return single(request, system(box_of(request)))


@routes.get(f"{BASE}/system/{{field}}")
async def get_system_field(request: web.Request) -> web.Response:
    field = request.match_info["field"]
    facts = system(box_of(request))
    if field not in facts:
        raise Refusal(404, "UNKNOWN_PATH", f"The system has no field {field}")
    return answer(facts[field])


@routes.post(f"{BASE}/events/custom")
async def create_event(request: web.Request) -> web.Response:
    body = await document(request)
    only_known(body, "level", "description_template", "visibility", "data")
    box, user = box_of(request), request["caller"].user_name
    row = box.log.add_event(
        "CUSTOM_EVENT",
        body.get("level", "INFO"),
        body.get("description_template", ""),
        body.get("data"),
        body.get("visibility", "CUSTOMER"),
        user,
    )
    return answer(box.log.wire(row), 201)
