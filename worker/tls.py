"""The TLS contexts: one that verifies, one that does not. Making one costs tens of milliseconds, so they are shared."""

from __future__ import annotations

import ssl
from pathlib import Path

import certifi


def verified_context() -> ssl.SSLContext:
    """A TLS context that trusts the system's certificates, or certifi's where the system has none."""
    system = ssl.get_default_verify_paths()
    has_certificates = system.cafile is not None or (
        system.capath is not None and any(Path(system.capath).iterdir())
    )
    context = ssl.create_default_context(cafile=None if has_certificates else certifi.where())
    context.set_alpn_protocols(["http/1.1"])
    return context


def unverified_context() -> ssl.SSLContext:
    """A TLS context that takes any certificate, for fetches that are marked as unverified."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["http/1.1"])
    return context
