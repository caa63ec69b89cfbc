"""Hearing of changes to jobs as they happen: NOTIFY is the doorbell, the record is what is read."""

from lib.stores.postgres.realtime.pace import Pace
from lib.stores.postgres.realtime.subscriptions import PostgresSubscriptions

__all__ = ["Pace", "PostgresSubscriptions"]
