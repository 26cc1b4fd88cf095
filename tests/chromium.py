"""The browser that drives the seller's page: Chromium without a window."""

from __future__ import annotations

import shutil
from contextlib import contextmanager

from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service


__all__ = ["chromium"]

_FLAGS = (
    "headless",
    "no-sandbox",
    "disable-gpu",
    "disable-quic",
    "disable-dev-shm-usage",
    "no-first-run",
    "disable-background-networking",
    "disable-component-update",
    "disable-sync",
    "force-prefers-reduced-motion",
    "hide-scrollbars",
    "lang=en",
    "window-size=1280,900",
)


@contextmanager
def chromium(profile):
    """Open a Chromium with an empty profile in a folder, and close it at the end."""
    options = ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for flag in (*_FLAGS, f"user-data-dir={profile}"):
        options.add_argument(f"--{flag}")
    driver = Chrome(options=options, service=Service(shutil.which("chromedriver")))
    try:
        yield driver
    finally:
        driver.quit()
