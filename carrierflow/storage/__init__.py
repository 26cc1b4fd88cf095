"""The ledger in SQLite, PostgreSQL or MariaDB; the only home of SQLAlchemy."""

from sqlalchemy import Connection, Engine

from carrierflow.storage.budget import BudgetRate, ShopBudget
from carrierflow.storage.database_clock import DatabaseClock
from carrierflow.storage.engine import build_engine
from carrierflow.storage.joining import Host, JoinedStore
from carrierflow.storage.lending import DriverConnections, Lender
from carrierflow.storage.migrate import upgrade
from carrierflow.storage.store import SqlStore


__all__ = [
    "BudgetRate",
    "Connection",
    "DatabaseClock",
    "DriverConnections",
    "Engine",
    "Host",
    "JoinedStore",
    "Lender",
    "ShopBudget",
    "SqlStore",
    "build_engine",
    "upgrade",
]
