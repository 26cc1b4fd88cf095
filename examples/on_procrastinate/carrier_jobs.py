"""A carrier's shops on Procrastinate: `python -m procrastinate --app carrier_jobs.app worker`."""

import os

from procrastinate import App, PsycopgConnector

from carrierflow import build, load_settings
from carrierflow.integrations.procrastinate import install


app = App(connector=PsycopgConnector(conninfo=os.environ["CARRIERFLOW_DATABASE_URL"]))
install(app, lambda: build(load_settings()), slots=24)
