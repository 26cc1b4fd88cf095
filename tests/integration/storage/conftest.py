"""A role that may do what carrierflow needs, and nothing else."""

from __future__ import annotations

import uuid

import pytest
from sqlalchemy.engine import make_url

from carrierflow.storage import build_engine

from .raw import connected


PASSWORD = "it's %a \"very\\ long: one"


@pytest.fixture
def role(own_database):
    """The name of a role that is dropped at the end."""
    name = f"cf_{uuid.uuid4().hex[:12]}"
    yield name
    if own_database.kind == "sqlite":
        return
    with connected(own_database) as raw:
        if own_database.kind == "mariadb":
            raw.run(f"DROP USER IF EXISTS {name}")
        elif raw.run(f"SELECT 1 FROM pg_roles WHERE rolname = '{name}'"):
            raw.run(f"REASSIGN OWNED BY {name} TO CURRENT_USER")
            raw.run(f"DROP OWNED BY {name}")
            raw.run(f"DROP ROLE {name}")
        raw.commit()


@pytest.fixture
def owner(own_database, make_engine):
    """An engine that connects as the owner of the tables."""
    return make_engine(own_database)


@pytest.fixture
def as_role(own_database, role):
    """An engine that connects as that role."""
    url = make_url(own_database.url).set(username=role, password=PASSWORD)
    engine = build_engine(url.render_as_string(hide_password=False))
    yield engine
    engine.dispose()
