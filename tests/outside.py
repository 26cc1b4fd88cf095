"""Tools that are not ours and judge what we prove: OpenSSL, and Go with its checksum database."""

from __future__ import annotations

import os
import shutil
from pathlib import Path


__all__ = ["environment", "lacking", "toolless"]

GOPATH = Path("/usr/share/gocode")
PACKAGE = GOPATH / "src/golang.org/x/mod/sumdb/tlog"
"""Where Debian puts the package that we are judged by."""

GO = {"GO111MODULE": "off", "GOPATH": str(GOPATH), "GOFLAGS": ""}
"""What Go needs in its environment to find it there."""


def toolless():
    """Return a sentence if one of the tools is not there."""
    tools = [tool for tool in ("openssl", "go") if shutil.which(tool) is None]
    if not PACKAGE.is_dir():
        tools.append("golang.org/x/mod")
    names = ", ".join(tools)
    return [f"Left out: what others say of our proofs, for want of {names}."] if tools else []


def environment():
    """Return the environment of a process that may build with Go."""
    return {k: v for k, v in os.environ.items() if not k.startswith("CARRIERFLOW_")} | GO


def lacking(proves, *tools):
    """Return what says in a sentence which of some tools are not there."""

    def say():
        names = ", ".join(tool for tool in tools if shutil.which(tool) is None)
        return [f"Left out: {proves}, for want of {names}."] if names else []

    return say
