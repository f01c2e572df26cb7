"""A certificate authority made on the fly, and one certificate of it for all host names of the cases."""

from __future__ import annotations

import base64
import hashlib
import ssl
import subprocess
from collections.abc import Iterable
from pathlib import Path

DAYS = "30"


def make(folder: Path, hosts: Iterable[str]) -> None:
    """Write ``ca.pem`` and ``server.pem`` (key and certificate for these hosts) into a folder."""
    key, ca_key, request = folder / "server.key", folder / "ca.key", folder / "server.csr"
    for path in (key, ca_key):
        _openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", str(path))
    # fmt: off
    _openssl("req", "-x509", "-new", "-key", str(ca_key), "-days", DAYS, "-subj", "/CN=Browser comparison",
             "-addext", "basicConstraints=critical,CA:TRUE", "-out", str(folder / "ca.pem"))
    _openssl("req", "-new", "-key", str(key), "-subj", "/CN=a.test", "-out", str(request))
    names = ",".join(f"DNS:{host}" for host in hosts)
    extensions = folder / "extensions"
    extensions.write_text(f"subjectAltName={names}\nextendedKeyUsage=serverAuth\n", encoding="ascii")
    _openssl("x509", "-req", "-in", str(request), "-CA", str(folder / "ca.pem"), "-CAkey", str(ca_key),
             "-days", DAYS, "-extfile", str(extensions), "-out", str(folder / "server.crt"))
    # fmt: on
    chain = (folder / "server.crt").read_text(encoding="ascii")
    (folder / "server.pem").write_text(key.read_text(encoding="ascii") + chain, encoding="ascii")


def context(folder: Path) -> ssl.SSLContext:
    """TLS for the server."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(folder / "server.pem")
    return made


def public_key_hash(folder: Path) -> str:
    """What Chromium wants to know of a certificate's key to trust it."""
    public = _openssl("ec", "-in", str(folder / "server.key"), "-pubout", "-outform", "DER")
    return base64.b64encode(hashlib.sha256(public).digest()).decode("ascii")


def _openssl(*arguments: str) -> bytes:
    return subprocess.run(("openssl", *arguments), check=True, capture_output=True).stdout
