import subprocess
import uuid
from functools import partial

import pytest
from databases import create
from rabbitmq import shared_broker
from sqlalchemy.engine import make_url

from . import shell
from .pages import DOCS, ROOT, blocks


pytestmark = [pytest.mark.slow, pytest.mark.servers]

PAGES = [
    pytest.param("celery", "postgres", marks=pytest.mark.broker),
    ("procrastinate", "postgres"),
]
EXAMPLES = {
    "celery": ROOT / "examples" / "on_celery" / "carrier_tasks.py",
    "procrastinate": ROOT / "examples" / "on_procrastinate" / "carrier_jobs.py",
}
BROKER = "amqp://guest:guest@127.0.0.1:5672//"


@pytest.fixture
def vhost():
    """A room of the broker's in which nobody else has queues."""
    name = f"carrierflow-{uuid.uuid4().hex[:8]}"
    ask = partial(subprocess.run, check=True, capture_output=True, timeout=60)
    with shared_broker():
        ask(["rabbitmqctl", "add_vhost", name])
        ask(["rabbitmqctl", "set_permissions", "-p", name, "guest", ".*", ".*", ".*"])
        yield name
        ask(["rabbitmqctl", "delete_vhost", name])


@pytest.mark.parametrize(("engine", "kind"), PAGES)
def test_from_nothing_to_three_workers(engine, kind, request, tmp_path_factory):
    """Every line of the page runs, and a parcel is told with one of three workers killed."""
    server, *lines = shell.lines_of(DOCS / "howto" / f"run-on-{engine}.md")
    folder, programs = tmp_path_factory.mktemp(engine), tmp_path_factory.mktemp("programs")
    broker = BROKER
    if engine == "celery":
        broker = f"{BROKER[:-1]}{request.getfixturevalue('vhost')}"
    with (
        create(kind, folder, migrated=False) as database,
        shell.serving(server.replace("--port 8070", "--port 0")) as url,
    ):
        its_own = {
            "http://127.0.0.1:8070": url,
            "postgresql://postgres@127.0.0.1:5432/carrier": make_url(database.url).render_as_string(
                hide_password=False
            ),
            BROKER: broker,
        }
        for given, here in its_own.items():
            lines = [line.replace(given, here) for line in lines]
        outputs = shell.outputs_of(lines, folder=folder, programs=programs)

    said = partial(shell.said, lines, outputs)
    assert "in sync      yes" in said("until")
    assert "in sync      yes" in said("until", number=1)
    assert "are as they were written" in said("carrierflow audit verify")
    logs = "".join(log.read_text() for log in folder.glob("*.log"))
    assert [] == [word for word in ("Traceback", "UserWarning") if word in logs], logs


@pytest.mark.parametrize(("engine", "kind"), PAGES)
def test_the_page_shows_the_example(engine, kind):
    """What is typed off the page is what lies among the examples."""
    (block,) = blocks(DOCS / "howto" / f"run-on-{engine}.md", "python")
    example = EXAMPLES[engine].read_text("utf-8")

    assert block == f"# {EXAMPLES[engine].name}\n{example}"
