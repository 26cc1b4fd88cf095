"""Addresses that we hand out or send tokens to: https, and http for this machine only."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit


__all__ = ["is_safe_url"]


def is_safe_url(url: str) -> bool:
    """Tell whether a URL can carry secrets: https, or http on loopback; no password in it."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return False
    if not host or "@" in parts.netloc or any(c.isspace() for c in url):
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(host))


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
