"""What an application credential may be used for.

keystonemiddleware/auth_token/__init__.py, validate_allowed_request: a request that no rule allows is answered as if there were no login.
"""

import re
from collections.abc import Mapping, Sequence

TYPES = {"keystone": "identity", "nova": "compute", "neutron": "network", "cinder": "volumev3", "glance": "image", "placement": "placement"}
"""`service_type` in [keystone_authtoken] of each service."""
_WILD = re.compile(r"\\\*\\\*|\\\*|\\\{\w+\\\}")


def allows(rules: Sequence[Mapping[str, str]], service: str, method: str, path: str) -> bool:
    """`*` and `{name}` stand for one part of a path, `**` for any number of them. `path` begins at the service."""
    return any(
        rule["method"] == method and rule["service"] == TYPES[service] and re.fullmatch(_WILD.sub(_pattern, re.escape(rule["path"])), path)
        for rule in rules
    )


def _pattern(found: re.Match[str]) -> str:
    return ".*" if found[0] == r"\*\*" else "[^/]+"
