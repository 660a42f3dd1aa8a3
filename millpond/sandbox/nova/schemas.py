"""What Nova accepts in request bodies, as functions of the microversion's minor number.

Facts: nova/api/openstack/compute/schemas of Queens to 2023.1, and the REST API version history.
"""

from typing import Any

Schema = dict[str, Any]

BOOLEAN: Schema = {
    "enum": [
        *(True, "True", "TRUE", "true", "1", "ON", "On", "on", "YES", "Yes", "yes"),
        *(False, "False", "FALSE", "false", "0", "OFF", "Off", "off", "NO", "No", "no"),
    ]
}
NAME: Schema = {"type": "string", "minLength": 1, "maxLength": 255, "format": "name"}
UUID: Schema = {"type": "string", "format": "uuid"}
TAG: Schema = {"type": "string", "pattern": "^[^,/]*$", "minLength": 1, "maxLength": 60}
NUMBER: Schema = {"type": ["integer", "string"], "pattern": "^[0-9]+$", "minimum": 0, "maximum": 0x7FFFFFFF}
POSITIVE: Schema = {**NUMBER, "pattern": "^[1-9][0-9]*$", "minimum": 1}
ONE: Schema = {"enum": [1, "1"]}
"""The sandbox boots one server per request and refuses to be asked for more."""
DESCRIPTION: Schema = {"type": ["string", "null"], "maxLength": 255}
ADDRESS: Schema = {"type": "string", "anyOf": [{"format": "ipv4"}, {"format": "ipv6"}]}
METADATA: Schema = {
    "type": "object",
    "patternProperties": {"^[a-zA-Z0-9-_:. ]{1,255}$": {"type": "string", "maxLength": 255}},
    "additionalProperties": False,
}
HINTS: Schema = {
    "type": "object",
    "properties": {"group": {"anyOf": [UUID, {"type": "array", "items": UUID}]}},
}


def record(properties: Schema, required: list[str] | None = None) -> Schema:
    """An object that takes these properties and no other."""
    return {
        "type": "object",
        "properties": properties,
        "required": required or [],
        "additionalProperties": False,
    }


def wrapped(name: str, properties: Schema, required: list[str] | None = None) -> Schema:
    return record({name: record(properties, required)}, [name])


def hostname(minor: int) -> Schema:
    if minor >= 94:
        return {"type": "string", "pattern": "^[a-zA-Z0-9-._]*$", "minLength": 1, "maxLength": 255}
    return {"type": "string", "pattern": "^[a-zA-Z0-9]+[a-zA-Z0-9-]*[a-zA-Z0-9]+$", "minLength": 2, "maxLength": 63}


def networks(minor: int) -> Schema:
    tagged = {"tag": TAG} if 32 <= minor <= 36 or minor >= 42 else {}
    item = {"fixed_ip": ADDRESS, "port": {**UUID, "type": ["string", "null"]}, "uuid": UUID, **tagged}
    listed: Schema = {"type": "array", "items": record(item)}
    return {"anyOf": [listed, {"enum": ["none", "auto"]}]} if minor >= 37 else listed


def block_device(minor: int) -> Schema:
    text = {"type": "string", "maxLength": 255}
    return record(
        {
            "source_type": {"enum": ["volume", "image", "snapshot", "blank"]},
            "destination_type": {"enum": ["local", "volume"]},
            "uuid": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[a-zA-Z0-9._-]*$"},
            "boot_index": {"type": ["integer", "string", "null"], "pattern": "^-?[0-9]+$"},
            "delete_on_termination": BOOLEAN,
            "volume_size": POSITIVE,
            "volume_id": UUID,
            "snapshot_id": UUID,
            "image_id": UUID,
            "device_name": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[a-zA-Z0-9._/-]*$"},
            "device_type": text,
            "disk_bus": text,
            "guest_format": text,
            "no_device": {},
            **({"tag": TAG} if minor == 32 or minor >= 42 else {}),
            **({"volume_type": {"type": ["string", "null"], "maxLength": 255}} if minor >= 67 else {}),
        }
    )


def create_server(minor: int) -> Schema:
    properties: Schema = {
        "name": NAME,
        "flavorRef": {"type": ["string", "integer"], "minLength": 1},
        "imageRef": {"anyOf": [UUID, {"type": "string", "maxLength": 0}]},
        "adminPass": {"type": "string"},
        "metadata": METADATA,
        "networks": networks(minor),
        "OS-DCF:diskConfig": {"enum": ["AUTO", "MANUAL"]},
        "accessIPv4": {"type": "string", "format": "ipv4"},
        "accessIPv6": {"type": "string", "format": "ipv6"},
        "availability_zone": NAME,
        "block_device_mapping_v2": {"type": "array", "items": block_device(minor)},
        "config_drive": BOOLEAN,
        "key_name": NAME,
        "min_count": ONE,
        "max_count": ONE,
        "security_groups": {"type": "array", "items": record({"name": NAME})},
        "user_data": {"type": "string", "format": "base64", "maxLength": 65535},
    }
    if minor >= 19:
        properties["description"] = DESCRIPTION
    if minor >= 52:
        properties["tags"] = {"type": "array", "items": TAG, "maxItems": 50}
    if minor >= 63:
        properties["trusted_image_certificates"] = {"type": ["array", "null"], "items": {"type": "string"}}
    if minor >= 74:
        properties |= {"host": hostname(94), "hypervisor_hostname": hostname(94)}
    if minor >= 90:
        properties["hostname"] = hostname(minor)
    required = ["name", "flavorRef", *(["networks"] if minor >= 37 else [])]
    hints = {"os:scheduler_hints": HINTS, "OS-SCH-HNT:scheduler_hints": HINTS}
    return record({"server": record(properties, required), **hints}, ["server"])


def update_server(minor: int) -> Schema:
    properties: Schema = {
        "name": NAME,
        "OS-DCF:diskConfig": {"enum": ["AUTO", "MANUAL"]},
        "accessIPv4": {"type": "string", "format": "ipv4"},
        "accessIPv6": {"type": "string", "format": "ipv6"},
    }
    if minor >= 19:
        properties["description"] = DESCRIPTION
    if minor >= 90:
        properties["hostname"] = hostname(minor)
    return wrapped("server", properties)


def metadata(minor: int) -> Schema:
    return record({"metadata": METADATA}, ["metadata"])


def metadata_item(minor: int) -> Schema:
    return record({"meta": {**METADATA, "minProperties": 1, "maxProperties": 1}}, ["meta"])


def tags(minor: int) -> Schema:
    return record({"tags": {"type": "array", "items": TAG, "maxItems": 50}}, ["tags"])


def tag(minor: int) -> Schema:
    return TAG


def attach_volume(minor: int) -> Schema:
    properties: Schema = {
        "volumeId": UUID,
        "device": {"type": ["string", "null"], "pattern": "(^/dev/x{0,1}[a-z]{0,1}d{0,1})([a-z]+)[0-9]*$"},
    }
    if minor >= 49:
        properties["tag"] = TAG
    if minor >= 79:
        properties["delete_on_termination"] = BOOLEAN
    return wrapped("volumeAttachment", properties, ["volumeId"])


def update_attachment(minor: int) -> Schema:
    properties: Schema = {"volumeId": UUID}
    if minor >= 85:
        text = {"type": ["string", "null"]}
        properties |= {"id": UUID, "serverId": UUID, "device": text, "tag": text, "delete_on_termination": BOOLEAN}
    return wrapped("volumeAttachment", properties, ["volumeId"])


def attach_interface(minor: int) -> Schema:
    fixed_ip = record({"ip_address": ADDRESS}, ["ip_address"])
    properties: Schema = {
        "net_id": UUID,
        "port_id": UUID,
        "fixed_ips": {"type": "array", "minItems": 1, "maxItems": 1, "items": fixed_ip},
    }
    if minor >= 49:
        properties["tag"] = TAG
    return wrapped("interfaceAttachment", properties)
