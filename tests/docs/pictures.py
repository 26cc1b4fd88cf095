"""Makes the documentation's pictures of reports: a week of the tour, as Chromium shows it."""

from __future__ import annotations

import base64
import os
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from chromium import chromium


__all__ = ["PICTURES", "Picture", "make_pictures"]

AT = "2026-03-08T00:00:00+07:00"
"""The end of the tour's week."""


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A part of a page, and how it is looked at."""

    options: tuple[str, ...] = ()
    width: int = 1040
    height: int
    scheme: str = "light"
    section: int = 0
    """Which section of the page is on top; 0 is the head."""


WEEK = ("--at", AT)
PICTURES = {
    "report.png": Picture(options=WEEK, height=900),
    "report-dark.png": Picture(
        options=(*WEEK, "--lang", "vi", "--for", "finance"),
        height=700,
        scheme="dark",
        section=1,
    ),
    "report-phone.png": Picture(options=WEEK, width=400, height=1200),
    "parcel.png": Picture(options=("--shop", "demo", "--fulfillment"), height=1100),
}


def make_pictures(folder: Path, names: Iterable[str] = PICTURES, *, parcels: int = 400) -> None:
    """Write pictures, each of them if none is named, into a folder."""
    with tempfile.TemporaryDirectory() as place, chromium(f"{place}/profile") as browser:
        run(place, "demo", "--parcels", str(parcels), "--keep", "tour")
        run(place, "keys", "generate-seal", "log.example", "seal.key")
        run(place, "audit", "seal")
        for name in names:
            picture = PICTURES[name]
            last = (longest_life(place),) if "--fulfillment" in picture.options else ()
            run(place, "audit", "report", "--out", f"{name}.html", *picture.options, *last)
            browser.get((Path(place) / f"{name}.html").as_uri())
            (folder / name).write_bytes(shot(browser, picture))


def longest_life(place: str) -> str:
    """Return the parcel to which most happened."""
    query = (
        "SELECT f.fulfillment_id FROM carrierflow_fulfillments f JOIN carrierflow_history h "
        "ON h.fulfillment = f.id GROUP BY f.id ORDER BY count(*) DESC, f.id LIMIT 1"
    )
    with closing(sqlite3.connect(f"{place}/tour/ledger.db")) as ledger:
        return str(ledger.execute(query).fetchone()[0])


def run(place: str, *arguments: str) -> None:
    """Run a command on the ledger of the tour."""
    own = {
        "CARRIERFLOW_DATABASE_URL": "sqlite:///tour/ledger.db",
        "CARRIERFLOW_SEAL_KEY_FILE": "seal.key",
    }
    command = [sys.executable, "-m", "carrierflow", *arguments]
    settings = os.environ | (own if arguments[0] != "demo" else {})
    subprocess.run(command, cwd=place, env=settings, check=True, stdout=subprocess.DEVNULL)


def shot(browser, picture: Picture) -> bytes:
    """Return what is seen of the page that is open."""
    feature = {"name": "prefers-color-scheme", "value": picture.scheme}
    screen = {
        "width": picture.width,
        "height": picture.height,
        "deviceScaleFactor": 1,
        "mobile": False,
    }
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
    top = browser.execute_script(
        "const found = document.querySelectorAll('section')[arguments[0] - 1];"
        "return found ? found.getBoundingClientRect().top + scrollY - 16 : 0",
        picture.section,
    )
    clip = {"x": 0, "y": top, "width": picture.width, "height": picture.height, "scale": 1}
    taken = browser.execute_cdp_cmd(
        "Page.captureScreenshot", {"captureBeyondViewport": True, "clip": clip}
    )
    return base64.b64decode(taken["data"])


if __name__ == "__main__":
    make_pictures(Path(sys.argv[1]))
