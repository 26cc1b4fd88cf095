"""A carrier's shops on Celery: `celery -A carrier_tasks worker`, and one `beat`."""

import os

from celery import Celery

from carrierflow import build, load_settings
from carrierflow.integrations.celery import beat_schedule, install


celery = Celery("carrier", broker=os.environ["CELERY_BROKER_URL"])
celery.conf.worker_prefetch_multiplier = 1
celery.conf.broker_heartbeat = 10
celery.conf.beat_schedule = beat_schedule()
install(celery, lambda: build(load_settings()), slots=24)
