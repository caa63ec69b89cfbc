"""Starters for the backing services: Postgres, Redis and AWS (moto), from pip packages alone.

`make run` and the tests start them through the same three classes. Each listens on 127.0.0.1 only.
"""

from local.backing.errors import BackingError, PortInUseError
from local.backing.moto import Moto
from local.backing.postgres import Postgres
from local.backing.record_database import RecordDatabase
from local.backing.redis import Redis

__all__ = ["BackingError", "Moto", "PortInUseError", "Postgres", "RecordDatabase", "Redis"]
