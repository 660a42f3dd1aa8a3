"""TLS in front of a service that speaks plain HTTP, with a certificate that signed itself."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@contextmanager
def terminated(host: str, port: int, certificate: Path) -> Iterator[int]:
    """The port on `host` that forwards to `port`; its certificate is written to the file."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate, _write(host, certificate))
    with socket.create_server((host, 0)) as listening:
        threading.Thread(target=_serve, args=(listening, server, (host, port)), daemon=True).start()
        yield int(listening.getsockname()[1])


def _write(host: str, certificate: Path) -> Path:
    """The certificate and, beside it, its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(days=1))
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(host))]), critical=False)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    certificate.write_bytes(builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    private = certificate.with_suffix(".key")
    pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    private.write_bytes(key.private_bytes(pem, pkcs8, serialization.NoEncryption()))
    return private


def _serve(listening: socket.socket, context: ssl.SSLContext, behind: tuple[str, int]) -> None:
    while True:
        try:
            accepted, _ = listening.accept()
        except OSError:  # closed: the test is over
            return
        threading.Thread(target=_forward, args=(accepted, context, behind), daemon=True).start()


def _forward(accepted: socket.socket, context: ssl.SSLContext, behind: tuple[str, int]) -> None:
    try:
        with context.wrap_socket(accepted, server_side=True) as client, socket.create_connection(behind) as service:
            answering = threading.Thread(target=_pump, args=(service, client), daemon=True)
            answering.start()
            _pump(client, service)
            answering.join()
    except OSError:  # the client did not trust us, or went away
        return


def _pump(source: socket.socket, sink: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        return
