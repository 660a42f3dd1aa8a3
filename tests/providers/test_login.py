import json
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from millpond.errors import BadCredentials, MissingCloud, Refused, Unreachable
from millpond.model.site import ArraySystem, Limits, Site
from millpond.providers.access import Access
from millpond.providers.infinibox import InfiniBoxArray
from millpond.providers.infinibox.session import NoPassword
from millpond.providers.open import UnknownArray, open_providers
from millpond.providers.openstack import connect
from millpond.providers.openstack.clouds_yaml import UnreadableClouds, cloud_config, cloud_names
from tests.providers.conftest import array_system
from tests.sandbox.running import Sandbox

LIMITS = Limits(request_timeout=5)


@pytest.fixture
def edit_clouds(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Puts a changed copy of the sandbox's target-admin into effect as the cloud `other`."""

    def edit(**auth: str | None) -> None:
        entry = yaml.safe_load(sandbox.clouds_yaml.read_text())["clouds"]["target-admin"]
        entry["auth"] = {key: value for key, value in {**entry["auth"], **auth}.items() if value is not None}
        file = tmp_path / "clouds.yaml"
        file.write_text(yaml.safe_dump({"clouds": {"other": entry}}))
        monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(file))

    return edit


def test_a_missing_cloud_names_those_that_there_are(sandbox: Sandbox) -> None:
    with pytest.raises(MissingCloud) as caught:
        connect("target-admni", Access.READ)
    assert "source-acme, source-admin, target-admin" in caught.value.why
    assert caught.value.fix == "Did you mean target-admin?"


def test_no_cloud_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    empty = tmp_path / "clouds.yaml"
    empty.write_text("clouds: {}\n")
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(empty))
    with pytest.raises(MissingCloud, match="no cloud is configured"):
        connect("x", Access.READ)


def test_a_broken_clouds_yaml(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "clouds.yaml"
    broken.write_text("clouds: [\n")
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(broken))
    with pytest.raises(UnreadableClouds) as caught:
        connect("x", Access.READ)
    assert caught.value.where.startswith(f"{broken}:")


def test_a_wrong_password_is_told_without_it(edit_clouds: Callable[..., None]) -> None:
    edit_clouds(password="canary-9")
    with pytest.raises(BadCredentials) as caught:
        connect("other", Access.READ)
    assert "canary-9" not in str(vars(caught.value))


def test_a_login_needs_a_project(edit_clouds: Callable[..., None]) -> None:
    edit_clouds(project_name=None, project_domain_name=None)
    with pytest.raises(BadCredentials, match="not scoped to a project"):
        connect("other", Access.READ)


def test_a_keystone_that_does_not_answer(edit_clouds: Callable[..., None]) -> None:
    edit_clouds(auth_url="http://127.0.0.99:9/identity/v3")
    with pytest.raises(Unreachable, match="connection refused"):
        connect("other", Access.READ)


def test_one_token_and_one_discovery_serve_all(sandbox: Sandbox) -> None:
    last = sandbox.control.requests()[-1]["n"] if sandbox.control.requests() else 0
    cloud = connect("target-admin", Access.READ, LIMITS)
    for _ in range(3):
        cloud.identity.domains()
        cloud.compute.flavors()
        cloud.network.agents()
    sent = sandbox.control.requests(last)
    assert len([one for one in sent if one["path"].endswith("/auth/tokens")]) == 1
    assert len([one for one in sent if one["path"].rstrip("/") == "/compute/v2.1"]) <= 1


def test_a_cloud_without_a_service_is_told(edit_clouds: Callable[..., None], tmp_path: Path) -> None:
    edit_clouds()
    file = tmp_path / "clouds.yaml"
    document = yaml.safe_load(file.read_text())
    document["clouds"]["other"]["region_name"] = "Elsewhere"
    file.write_text(yaml.safe_dump(document))
    cloud = connect("other", Access.READ, LIMITS)
    with pytest.raises(Refused) as caught:
        cloud.compute.flavors()
    assert "region_name" in caught.value.fix


def box(system: ArraySystem, directory: Path = Path()) -> InfiniBoxArray:
    return InfiniBoxArray(system, Access.READ, LIMITS, directory)


def test_an_array_s_password_comes_from_where_the_site_says(sandbox: Sandbox, tmp_path: Path) -> None:
    system = array_system(sandbox, "ibox-a")
    (tmp_path / "password").write_text("123456\n")
    assert box(replace(system, password_env="", password_file="password"), tmp_path).facts().name == "ibox-a"
    for nowhere, told in (
        ({"password_env": "NOT_SET"}, "the environment variable NOT_SET is not set"),
        ({"password_env": "", "password_file": "absent"}, f"{tmp_path / 'absent'} cannot be read: No such file or directory"),
        ({"password_env": "", "password_file": "."}, f"{tmp_path} cannot be read: Is a directory"),
        ({"password_env": ""}, "millpond.yaml does not say where it is"),
    ):
        with pytest.raises(NoPassword, match="there is no password for array ibox-a: ") as absent:
            box(replace(system, **nowhere), tmp_path).clock()
        assert absent.value.why.endswith(told)


def test_a_refused_login_names_where_its_parts_are(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    system = array_system(sandbox, "ibox-a")
    monkeypatch.setenv("ARRAY_PASSWORD", "canary-9")
    with pytest.raises(BadCredentials, match="refused the login") as caught:
        box(replace(system, password_env="ARRAY_PASSWORD")).clock()
    assert "canary-9" not in str(vars(caught.value))
    assert caught.value.fix == (
        "Check the username of array ibox-a in millpond.yaml, and the password in the environment variable ARRAY_PASSWORD."
    )
    monkeypatch.setenv("ARRAY_USER", "reader")
    (tmp_path / "password").write_text("canary-9\n")
    with pytest.raises(BadCredentials) as caught:
        box(replace(system, username_env="ARRAY_USER", password_env="", password_file="password"), tmp_path).clock()
    assert caught.value.fix == (
        f"Check the username in the environment variable ARRAY_USER, and the password in the file {tmp_path / 'password'}."
    )


def test_who_only_reads_may_log_in_as_somebody_else(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    system = replace(array_system(sandbox, "ibox-a"), username_env="ARRAY_USER")
    monkeypatch.delenv("ARRAY_USER", raising=False)
    assert box(system).facts().name == "ibox-a"
    monkeypatch.setenv("ARRAY_USER", "reader")
    with pytest.raises(BadCredentials, match="refused the login of reader"):
        box(system).clock()


def test_an_array_that_does_not_answer(sandbox: Sandbox) -> None:
    with pytest.raises(Unreachable, match="connection refused"):
        box(replace(array_system(sandbox, "ibox-a"), address="127.0.0.99", port=9)).clock()


def test_an_array_that_the_site_does_not_have() -> None:
    with pytest.raises(UnknownArray, match="ibox-c"):
        open_providers(Site("test"), "a", "b", Access.READ).array("ibox-c")


class Refuses(BaseHTTPRequestHandler):
    """Answers that the login is wrong: whoever hears it has accepted the certificate."""

    def do_GET(self) -> None:
        body = json.dumps({"result": None, "error": {"code": "UNAUTHORIZED", "message": "no"}, "metadata": {"ready": True}}).encode()
        self.send_response(401)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def tls_port(tmp_path: Path) -> Iterator[int]:
    """An HTTPS server with a certificate that only `ca.pem` vouches for."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "array")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (tmp_path / "ca.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (tmp_path / "key.pem").write_bytes(private)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Refuses)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(tmp_path / "ca.pem", tmp_path / "key.pem")
    server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    thread.join()
    server.server_close()


def test_an_array_s_certificate_is_verified(tls_port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARRAY_PASSWORD", "x")
    system = ArraySystem("a", "127.0.0.1", "admin", port=tls_port, password_env="ARRAY_PASSWORD")
    with pytest.raises(Unreachable, match="certificate cannot be verified"):
        box(system).clock()
    with pytest.raises(BadCredentials):
        box(replace(system, ca_file="ca.pem"), tmp_path).clock()
    with pytest.raises(BadCredentials):
        box(replace(system, verify=False)).clock()


def test_what_is_configured_is_read_again_when_its_file_or_the_environment_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = tmp_path / "clouds.yaml", tmp_path / "others.yaml"
    here.write_text("clouds: {old: {}}")
    there.write_text("clouds: {other: {}}")
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(here))
    assert cloud_names() == ("old",)
    assert cloud_config() is cloud_config()
    here.write_text("clouds: {old: {}, new: {}}")
    assert cloud_names() == ("new", "old")
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(there))
    assert cloud_names() == ("other",)
    monkeypatch.setenv("OS_AUTH_URL", "http://127.0.0.1:5000/v3")
    assert cloud_names() == ("envvars", "other")
