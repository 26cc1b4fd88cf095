"""The broker that Celery's tests use, if there is one: RabbitMQ, by a URL in the environment."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path


__all__ = ["BROKER", "broker_to_oneself", "brokerless", "restart", "shared_broker"]

BROKER = "CARRIERFLOW_TEST_RABBITMQ"
LOCK = Path(tempfile.gettempdir()) / "carrierflow-tests-rabbitmq.lock"


def brokerless():
    """Say what is left out where no broker is named, or nothing can restart it."""
    if not os.environ.get(BROKER):
        return [f"Left out: every test on RabbitMQ, because {BROKER} names no broker."]
    if shutil.which("rabbitmqctl") is None:
        return ["Left out: every test on RabbitMQ, because rabbitmqctl is not there."]
    return []


@contextmanager
def shared_broker():
    """Use the broker beside other tests, and beside none that restarts it."""
    with LOCK.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        yield


@contextmanager
def broker_to_oneself():
    """Use the broker while no other test does."""
    with LOCK.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def restart():
    """Stop the broker, and start it again."""
    for command in ("stop_app", "start_app"):
        program = shutil.which("rabbitmqctl")
        subprocess.run([program, command], check=True, capture_output=True, timeout=60)
