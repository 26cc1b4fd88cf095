"""The hosts whose workers the tests start: each engine's application, by the environment."""

from __future__ import annotations

import os
import signal
import threading
from datetime import timedelta
from urllib.parse import urlsplit

from rabbitmq import BROKER

from carrierflow import build, load_settings
from conformance.slow_platform import profile


__all__ = ["HOLD", "QUEUE", "SECONDS", "SLOTS", "THREADS", "loop"]

QUEUE = "CONFORMANCE_QUEUE"
HOLD, SECONDS = "CONFORMANCE_HOLD", "CONFORMANCE_SECONDS"
SLOTS, THREADS = "CONFORMANCE_SLOTS", "CONFORMANCE_THREADS"


def made():
    """Build the application, as a process does that needs it."""
    return build(load_settings(), platforms=[profile()])


def options():
    """Return what `install` is given in every engine."""
    return {
        "slots": int(os.environ[SLOTS]),
        "hold": timedelta(seconds=float(os.environ[HOLD])),
        "seconds": float(os.environ[SECONDS]),
        "queue": os.environ[QUEUE],
    }


def celery():
    """Return Celery's application."""
    from celery import Celery  # noqa: PLC0415 - each engine's worker needs its own alone

    from carrierflow.integrations.celery import beat_schedule, install  # noqa: PLC0415

    host = Celery("conformance", broker=os.environ[BROKER])
    host.conf.update(
        worker_prefetch_multiplier=1,
        broker_heartbeat=10,
        beat_schedule=beat_schedule(queue=os.environ[QUEUE]),
        task_default_queue=f"{os.environ[QUEUE]}-default",
        worker_enable_remote_control=False,
        worker_send_task_events=False,
    )
    install(host, made, **options())
    return host


def procrastinate():
    """Return Procrastinate's application; its tables stand in the same database."""
    from procrastinate import App, PsycopgConnector  # noqa: PLC0415

    from carrierflow.integrations.procrastinate import install  # noqa: PLC0415

    url = os.environ["CARRIERFLOW_DATABASE_URL"]
    assert urlsplit(url).scheme == "postgresql"
    host = App(connector=PsycopgConnector(conninfo=url, max_size=6))
    install(host, made, **options())
    return host


def loop():
    """Work as `carrierflow work` does, until the polite end."""
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    app = made()
    for _ in app.work(
        parallel=int(os.environ[THREADS]),
        stop=stop.is_set,
        seconds=float(os.environ[SECONDS]),
    ):
        pass


def __getattr__(name):
    if name == "celery_app":
        return celery()
    if name == "procrastinate_app":
        return procrastinate()
    raise AttributeError(name)


if __name__ == "__main__":
    loop()
