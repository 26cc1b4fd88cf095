"""Addresses that we hand out or send tokens to: https, and http for this machine only."""

from __future__ import annotations

import ipaddress
from urllib.parse import SplitResult, urlsplit


__all__ = ["flaw_of_root", "is_safe_url"]


def is_safe_url(url: str) -> bool:
    """Tell whether a URL can carry secrets: https, or http on loopback; no password in it."""
    parts = _parts(url)
    if parts is None or "@" in parts.netloc:
        return False
    return parts.scheme == "https" or (
        parts.scheme == "http" and _is_loopback(parts.hostname or "")
    )


def flaw_of_root(url: str) -> str | None:
    """Return in a sentence why a URL cannot be the root of a platform's API; None if it can.

    A sentence repeats the URL only where no password can stand in it.
    """
    parts = _parts(url)
    if parts is None or "@" in parts.netloc or parts.query or parts.fragment:
        return "The base URL of a shop is only a root, like https://api.example.com."
    if not is_safe_url(url):
        return (
            f"The base URL {url!r} must begin with https://; "
            "http:// would show the token to everyone on the way and is for this machine only."
        )
    if parts.path.rstrip("/").endswith("/com"):
        return f"The base URL {url!r} must end before /com, which is added to it."
    return None


def _parts(url: str) -> SplitResult | None:
    """Return the parts of a URL with a host and a port that can be; None if it is none."""
    if not url.isprintable() or any(letter.isspace() for letter in url):
        return None
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    return parts if parts.hostname and port != 0 else None


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
