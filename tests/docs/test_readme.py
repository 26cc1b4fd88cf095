import pytest

from carrierflow import build, generate_key, load_settings
from carrierflow.sandbox.haravan import SandboxServer, World

from .pages import README, blocks


@pytest.fixture
def sandbox():
    """A platform with the parcel of the README."""
    world = World()
    world.add_shop(code="myshop", token="sandbox-token")
    world.add_parcel(shop="myshop", order_id=1001, fulfillment_id=2001, cod_amount=250_000)
    with SandboxServer(world) as server:
        yield server


def test_the_lines_of_the_readme_run(sandbox, tmp_path, monkeypatch, capsys):
    """Whoever copies the lines gets an accepted event, and a platform that shows it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CARRIERFLOW_DATABASE_URL", f"sqlite:///{tmp_path / 'readme.db'}")
    monkeypatch.setenv("CARRIERFLOW_SECRET_KEY", generate_key())
    (code,) = blocks(README, "python")
    names = {"token": "sandbox-token", "engine": build(load_settings()).store.engine}

    exec(code.replace("https://apis.haravan.com", sandbox.url), names)  # noqa: S102 - ours

    assert (
        "accepted readytopick → picking.\nmyshop 2 published, 0 left\n" == capsys.readouterr().out
    )
    names["engine"].dispose()
    names["app"].store.engine.dispose()


def test_the_readme_is_short():
    """Embedding takes about twenty lines."""
    (code,) = blocks(README, "python")

    assert 25 >= len([line for line in code.splitlines() if line.strip()])
