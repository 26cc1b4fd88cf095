"""A Django project in this process; which database is its own, each test says."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from types import ModuleType

import django
import pymysql
from django import conf
from django.db import connections
from sqlalchemy.engine import make_url

from carrierflow.integrations.django.project import forget


__all__ = ["ENGINES", "living_in", "set_up", "urls"]

ENGINES = {"sqlite": "sqlite3", "postgres": "postgresql", "mariadb": "mysql"}
APPS = ("contenttypes", "auth", "sessions", "messages", "admin")
MIDDLEWARE = (
    "sessions.middleware.SessionMiddleware",
    "auth.middleware.AuthenticationMiddleware",
    "messages.middleware.MessageMiddleware",
)
TEMPLATES = {
    "BACKEND": "django.template.backends.django.DjangoTemplates",
    "APP_DIRS": True,
    "OPTIONS": {
        "context_processors": [
            "django.template.context_processors.request",
            "django.contrib.auth.context_processors.auth",
            "django.contrib.messages.context_processors.messages",
        ]
    },
}

urls = ModuleType("carrierflow_test_urls")
"""The project's addresses; a test puts its own into `urlpatterns`."""
urls.urlpatterns = []


def set_up():
    """Set the project up, once in a process: Django has one for all."""
    if conf.settings.configured:
        return
    pymysql.install_as_MySQLdb()
    sys.modules[urls.__name__] = urls
    conf.settings.configure(
        ALLOWED_HOSTS=["127.0.0.1", "testserver"],
        ROOT_URLCONF=urls.__name__,
        SECRET_KEY="not one",
        USE_TZ=True,
        INSTALLED_APPS=[
            *(f"django.contrib.{name}" for name in APPS),
            "carrierflow.integrations.django",
        ],
        MIDDLEWARE=[f"django.contrib.{name}" for name in MIDDLEWARE],
        TEMPLATES=[TEMPLATES],
        STATIC_URL="/static/",
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    )
    django.setup()


@contextmanager
def living_in(database, **changed):
    """Let the project live in one database, or none; what is said besides goes into its entry."""
    set_up()
    before = connections.settings["default"]
    entry = (entry_of(database) if database else {}) | changed
    connections.settings["default"] = connections.configure_settings({"default": entry})["default"]
    connections["default"].close()
    del connections["default"]
    try:
        yield connections["default"]
    finally:
        forget()
        connections["default"].close()
        connections.settings["default"] = before
        del connections["default"]


def entry_of(database):
    """Return what stands in `DATABASES` for a database."""
    url = make_url(database.url)
    return {
        "ENGINE": f"django.db.backends.{ENGINES[database.kind]}",
        "NAME": url.database,
        "USER": url.username or "",
        "PASSWORD": url.password or "",
        "HOST": url.host or "",
        "PORT": str(url.port or ""),
    }
