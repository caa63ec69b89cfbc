"""When providers may be called: buckets and circuits, shared between processes."""
# ruff: noqa: PLC0415 - see the package

from functools import cache
from typing import TYPE_CHECKING

from lib import bootstrap

if TYPE_CHECKING:
    from lib.services.flow_control import SharedFlow
    from lib.stores.redis_admission import AdmissionPath


@cache
def flow_control() -> "SharedFlow":
    """Redis, then DynamoDB, then this process."""
    from lib import work_settings as w
    from lib.domain.flow import CircuitRules
    from lib.services.flow_control import SharedFlow
    from lib.services.flow_fallback import FallbackFlowStore
    from lib.stores.flow_dynamodb import DynamoDBFlowStore
    from lib.stores.flow_memory import MemoryFlowStore
    from lib.stores.flow_redis import RedisFlowStore

    chosen, client = bootstrap.settings(w.FlowSettings), bootstrap.redis()
    table = DynamoDBFlowStore(bootstrap.dynamodb(), chosen.cache_table)
    shared = (RedisFlowStore(client), table) if client else (table,)
    store = FallbackFlowStore(shared, MemoryFlowStore(), on_outage=bootstrap.on_outage)
    rules = CircuitRules(chosen.circuit_failures, chosen.circuit_open_seconds)
    return SharedFlow(store, rules, bootstrap.journal())


@cache
def admission_path(default_limit_per_hour: int) -> "AdmissionPath | None":
    """The one-trip admission through Redis, which brings news of the providers' traffic along."""
    from lib.stores.redis_admission import AdmissionPath

    client = bootstrap.redis()
    if client is None:
        return None
    return AdmissionPath(client, default_limit_per_hour=default_limit_per_hour, news=bootstrap.flow_control())
