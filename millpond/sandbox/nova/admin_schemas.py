"""Request bodies of what is not a server: flavors, key pairs, server groups, quotas, services."""

from millpond.sandbox.nova.schemas import BOOLEAN, DESCRIPTION, NAME, NUMBER, POSITIVE, Schema, record, wrapped

QUOTA: Schema = {"type": ["integer", "string"], "pattern": "^-?[0-9]+$", "minimum": -1, "maximum": 0x7FFFFFFF}
KEY: Schema = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": r"^[a-zA-Z0-9-_:. ]{1,255}$"}
ID: Schema = {"type": "string", "pattern": "^[a-zA-Z0-9-]*$", "minLength": 1, "maxLength": 255}


def create_flavor(minor: int) -> Schema:
    properties: Schema = {
        "name": NAME,
        "id": {"type": ["string", "number", "null"], "minLength": 0, "maxLength": 255},
        "ram": POSITIVE,
        "vcpus": POSITIVE,
        "disk": NUMBER,
        "OS-FLV-EXT-DATA:ephemeral": NUMBER,
        "swap": NUMBER,
        "rxtx_factor": {"type": ["number", "string"]},
        "os-flavor-access:is_public": BOOLEAN,
        **({"description": {**DESCRIPTION, "maxLength": 65535}} if minor >= 55 else {}),
    }
    return wrapped("flavor", properties, ["name", "ram", "vcpus", "disk"])


def update_flavor(minor: int) -> Schema:
    return wrapped("flavor", {"description": {**DESCRIPTION, "maxLength": 65535}}, ["description"])


def extra_specs(minor: int) -> Schema:
    return record({"extra_specs": extra_spec(minor)}, ["extra_specs"])


def extra_spec(minor: int) -> Schema:
    return {
        "type": "object",
        "patternProperties": {KEY["pattern"]: {"type": ["string", "number"], "minLength": 0, "maxLength": 255}},
        "additionalProperties": False,
    }


def add_tenant_access(minor: int) -> Schema:
    return wrapped("addTenantAccess", {"tenant": ID}, ["tenant"])


def remove_tenant_access(minor: int) -> Schema:
    return wrapped("removeTenantAccess", {"tenant": ID}, ["tenant"])


def create_keypair(minor: int) -> Schema:
    characters = r"^[_\-\@\. a-zA-Z0-9]+$" if minor >= 92 else r"^[_\- a-zA-Z0-9]+$"
    properties: Schema = {"name": {**NAME, "pattern": characters}, "public_key": {"type": "string"}}
    if minor >= 2:
        properties["type"] = {"enum": ["ssh", "x509"]}
    if minor >= 10:
        properties["user_id"] = ID
    return wrapped("keypair", properties, ["name", *(["public_key"] if minor >= 92 else [])])


def create_server_group(minor: int) -> Schema:
    policies = ["anti-affinity", "affinity", *(["soft-anti-affinity", "soft-affinity"] if minor >= 15 else [])]
    if minor >= 64:
        rules = record({"max_server_per_host": POSITIVE})
        return wrapped("server_group", {"name": NAME, "policy": {"enum": policies}, "rules": rules}, ["name", "policy"])
    listed = {"type": "array", "items": {"enum": policies}, "minItems": 1, "maxItems": 1}
    return wrapped("server_group", {"name": NAME, "policies": listed}, ["name", "policies"])


def quota_set(minor: int) -> Schema:
    names = ["instances", "cores", "ram", "metadata_items", "key_pairs", "server_groups", "server_group_members"]
    if minor < 36:
        names += ["fixed_ips", "floating_ips", "security_groups", "security_group_rules"]
    if minor < 57:
        names += ["injected_files", "injected_file_content_bytes", "injected_file_path_bytes"]
    return wrapped("quota_set", {**dict.fromkeys(names, QUOTA), "tenant_id": {}, "force": BOOLEAN})


def quota_class_set(minor: int) -> Schema:
    inner = quota_set(minor)["properties"]["quota_set"]["properties"]
    return wrapped("quota_class_set", {name: rule for name, rule in inner.items() if name not in ("force", "tenant_id")})


def update_service(minor: int) -> Schema:
    reason = {"type": "string", "minLength": 1, "maxLength": 255}
    return record({"status": {"enum": ["enabled", "disabled"]}, "disabled_reason": reason, "forced_down": BOOLEAN})
