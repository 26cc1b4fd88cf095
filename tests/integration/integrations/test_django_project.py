"""A Django project with the ledger in it: its settings, its commands, its checks, its admin."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.core import checks
from django.core.management import CommandError, call_command
from django.db import transaction
from django.test import Client, override_settings
from django.urls import clear_url_caches, path
from django_host import living_in, urls

from carrierflow import Event, FulfillmentRef, Opening, Status, generate_key
from carrierflow.errors import ConfigurationError
from carrierflow.integrations.django import app, joined
from carrierflow.integrations.django.databases import url_of
from carrierflow.integrations.django.project import settings


def test_migrate_makes_the_tables(empty_database):
    """`manage.py migrate` makes the ledger's tables where it makes the project's own."""
    given = {"secret_key": generate_key()}
    with living_in(empty_database), override_settings(CARRIERFLOW=given):
        assert ["carrierflow.W001"] == found_by_checks()
        call_command("migrate", verbosity=0)
        assert [] == found_by_checks()

        app().shops.add("myshop", token="t", base_url="http://127.0.0.1")
        assert ["myshop"] == [shop.code for shop in app().shops.all()]


def found_by_checks():
    """Return the ids of what `manage.py check --database default` says of us."""
    found = checks.run_checks(databases=["default"])
    return [each.id for each in found if each.id.startswith("carrierflow.")]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"nonsense": 1}, "there is no such setting"),
        ({"rate_bucket": "many"}, "rate_bucket"),
        ({"using": "elsewhere"}, "has no database 'elsewhere'"),
        ("nonsense", "is a dictionary of settings"),
    ],
)
def test_what_cannot_be_used_is_said_by_the_checks(given, said, sqlite_database):
    """A setting that is wrong is a sentence of `manage.py check`, not a trace at the first scan."""
    with living_in(sqlite_database), override_settings(CARRIERFLOW=given):
        found = [e for e in checks.run_checks() if e.id.startswith("carrierflow.")]
        with pytest.raises(ConfigurationError):
            joined()

    assert ["carrierflow.E001"] == [each.id for each in found]
    assert said in found[0].msg


@pytest.mark.servers
@pytest.mark.parametrize("database", ["mariadb"], indirect=True)
def test_an_isolation_that_the_ledger_cannot_work_in_is_warned_of(database):
    """MariaDB's own isolation level, where a project asks for it, is a warning."""
    with living_in(database, OPTIONS={"isolation_level": "repeatable read"}):
        assert ["carrierflow.W002"] == found_by_checks()


def test_the_settings_of_the_project_count_most(sqlite_database, monkeypatch):
    """`CARRIERFLOW` stands above the environment; without a URL, the ledger is in Django's own."""
    monkeypatch.setenv("CARRIERFLOW_RATE_BUCKET", "50")
    monkeypatch.setenv("CARRIERFLOW_ACTOR", "warehouse")
    with living_in(sqlite_database), override_settings(CARRIERFLOW={"rate_bucket": 60}):
        found = settings()
        assert (60, "warehouse") == (found.rate_bucket, found.actor)
        assert sqlite_database.url == found.database_url
        monkeypatch.setenv("CARRIERFLOW_DATABASE_URL", "sqlite:///other.db")
        assert "sqlite:///other.db" == settings().database_url


def test_a_changed_setting_counts_from_then_on(sqlite_database):
    """What a host's test overrides is what the next application is built from."""
    with living_in(sqlite_database):
        with override_settings(CARRIERFLOW={"actor": "one"}):
            assert "one" == app().settings.actor
            assert app() is app()
        with override_settings(CARRIERFLOW={"actor": "two"}):
            assert "two" == app().settings.actor


@pytest.mark.parametrize(
    ("entry", "url"),
    [
        (
            {"USER": "me", "PASSWORD": "a/b@c", "HOST": "db", "PORT": "5433"},
            "postgresql://me:a%2Fb%40c@db:5433/shop",
        ),
        ({"HOST": "/var/run/postgresql"}, "postgresql:///shop?host=%2Fvar%2Frun%2Fpostgresql"),
        (
            {"HOST": "::1", "OPTIONS": {"sslmode": "require"}},
            "postgresql://[::1]/shop?sslmode=require",
        ),
        ({"OPTIONS": {"pool": True, "server_side_binding": True}}, "postgresql:///shop"),
    ],
)
def test_the_url_is_that_of_django_s_database(entry, url):
    """Our own connections go where Django's go: account, place, encryption; never its pool."""
    assert url == url_for("postgresql", entry)


def test_mysql_s_certificates_and_socket_are_taken_over():
    """What MySQL's options say of encryption and of the socket stands in the URL."""
    ssl = {"OPTIONS": {"ssl": {"ca": "/ca.pem"}, "sql_mode": "TRADITIONAL", "charset": "utf8mb4"}}

    assert "mysql://db/shop?charset=utf8mb4&ssl_ca=%2Fca.pem" == url_for(
        "mysql", {"HOST": "db"} | ssl
    )
    assert "mysql:///shop?unix_socket=%2Frun%2Fsock" == url_for("mysql", {"HOST": "/run/sock"})


def test_an_option_that_no_url_can_say_is_a_sentence():
    """What cannot be taken over is refused by its name, never passed over."""
    with pytest.raises(ConfigurationError, match="option cursor_factory of Django's database"):
        url_for("postgresql", {"OPTIONS": {"cursor_factory": object}})


def url_for(engine, entry):
    """Return the URL of a database that nobody connects to."""
    given = {"NAME": "shop", "ENGINE": f"django.db.backends.{engine}", **entry}
    with living_in(None, **given):
        return url_of("default")


@pytest.mark.parametrize(
    ("arguments", "code"), [(["shop", "list", "--json"], 0), (["shop", "remove", "--nonsense"], 2)]
)
def test_manage_py_carrierflow_is_the_command_line(arguments, code, database, capsys):
    """Every command runs by `manage.py carrierflow`, on the project's database, with its codes."""
    with living_in(database):
        if code:
            with pytest.raises(CommandError) as told:
                call_command("carrierflow", *arguments)
            assert code == told.value.returncode
        else:
            out = StringIO()
            call_command("carrierflow", *arguments, stdout=out)
            assert "shops" in json.loads(out.getvalue())


@pytest.fixture
def client(own_database):
    """A browser of somebody who may see everything."""
    clear_url_caches()
    urls.urlpatterns = [path("admin/", admin.site.urls)]
    with living_in(own_database), override_settings(CARRIERFLOW={"secret_key": generate_key()}):
        call_command("migrate", verbosity=0)
        client = Client()
        client.force_login(get_user_model().objects.create_superuser("lan", password="x"))
        yield client


@pytest.mark.slow
def test_the_admin_shows_a_parcel_and_changes_nothing(
    client, make_shop, make_engine, make_store, own_database
):
    """Fulfillments are listed and found, and each one tells its life; nobody changes any."""
    shop = make_shop(make_store(make_engine(own_database)))
    ref = FulfillmentRef(shop=shop, order_id="1001", fulfillment_id="2001")
    with transaction.atomic():
        joined().open(Opening(ref=ref, cod_amount=5, tracking_number="<b>VN1</b>"))
        joined().record(Event(shop=shop, fulfillment_id="2001", status=Status.PICKING, actor="lan"))

    page = client.get("/admin/carrierflow/fulfillmentrow/?q=2001").content.decode()
    assert "&lt;b&gt;VN1&lt;/b&gt;" in page
    life = client.get("/admin/carrierflow/fulfillmentrow/1/change/").content.decode()
    assert "readytopick" in life
    assert "picking" in life
    assert 'name="_save"' not in life
    for way in ("add", "1/delete"):
        assert 403 == client.get(f"/admin/carrierflow/fulfillmentrow/{way}/").status_code
    assert (
        403
        == client.post("/admin/carrierflow/fulfillmentrow/1/change/", {"cod_amount": 1}).status_code
    )
