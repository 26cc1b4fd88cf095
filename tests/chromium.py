"""The browser that drives the seller's page: Chromium without a window."""

from __future__ import annotations

import shutil
from contextlib import contextmanager

from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait


__all__ = ["Page", "chromium"]

PATIENCE = 45
"""Seconds that a page gets to show what it should."""

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


class Page:
    """What a person can do on the page, and see."""

    def __init__(self, browser):
        self.browser = browser

    def press(self, text):
        """Press the one button with this text that can be pressed."""
        WebDriverWait(self.browser, PATIENCE).until(lambda _: len(self._buttons(text)) == 1)
        self._buttons(text)[0].click()

    def sees(self, text):
        """Wait until a text is on the page."""
        WebDriverWait(self.browser, PATIENCE).until(lambda _: text in self.text())

    def text(self):
        """Return what can be read."""
        return self.browser.find_element(By.TAG_NAME, "body").text

    def _buttons(self, text):
        found = self.browser.find_elements(By.XPATH, f"//button[normalize-space()='{text}']")
        return [each for each in found if each.is_displayed() and each.is_enabled()]
