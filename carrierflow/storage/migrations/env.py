"""Runs migrations on the connection that `carrierflow.storage.migrate` hands over."""

from alembic import context

from carrierflow.storage.migrate import VERSION_TABLE
from carrierflow.storage.tables import metadata


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    transactional_ddl=False,
)
with context.begin_transaction():
    context.run_migrations()
