"""Redis and DynamoDB: the mirrors of the record, and what is shared between processes."""
# ruff: noqa: PLC0415 - see the package

from functools import cache
from typing import TYPE_CHECKING

from lib import bootstrap
from lib import settings as s

if TYPE_CHECKING:
    from lib.ports.tier import Tier
    from lib.services.fallback_cache import FallbackCache
    from lib.services.heal_mirrors import MirrorHealer
    from lib.services.progress import ProgressStore
    from lib.services.publish import Mirrors
    from lib.services.query_cache import QueryCache
    from lib.stores.dynamodb_client import DynamoDB
    from lib.stores.dynamodb_tier import DynamoDBTier
    from lib.stores.redis_client import RedisClient
    from lib.stores.redis_status import StatusFastPath


@cache
def redis() -> "RedisClient | None":
    """Redis, or None where there is none by setting."""
    from lib.stores.redis_client import RedisClient

    secret = bootstrap.settings(s.RedisSettings).redis
    return RedisClient(bootstrap.secrets().get(secret)) if secret else None


@cache
def fast_path() -> "StatusFastPath | None":
    """The one-trip path through Redis."""
    from lib.stores.redis_status import StatusFastPath

    client = bootstrap.redis()
    return StatusFastPath(client) if client else None


@cache
def dynamodb() -> "DynamoDB":
    """The client of both tables."""
    from lib.stores.dynamodb_client import DynamoDB

    return DynamoDB()


@cache
def dynamodb_tier() -> "DynamoDBTier":
    """The table of jobs."""
    from lib.stores.dynamodb_tier import DynamoDBTier

    return DynamoDBTier(bootstrap.dynamodb(), bootstrap.settings(s.MirrorSettings).jobs_table)


@cache
def mirror_tiers() -> "tuple[Tier, ...]":
    """The mirrors, fastest first."""
    from lib.stores.redis_tier import RedisTier

    client = bootstrap.redis()
    return (RedisTier(client), bootstrap.dynamodb_tier()) if client else (bootstrap.dynamodb_tier(),)


@cache
def mirrors() -> "Mirrors":
    """All mirrors, to publish to."""
    from lib.services.publish import Mirrors

    return Mirrors(bootstrap.mirror_tiers(), on_outage=bootstrap.on_outage)


@cache
def mirror_healer() -> "MirrorHealer":
    """Tells mirrors again what they missed."""
    from lib.services.heal_mirrors import MirrorHealer

    return MirrorHealer(bootstrap.record_tier(), bootstrap.mirrors())


@cache
def shared_cache() -> "FallbackCache":
    """Redis, then DynamoDB, then (for counting) this process."""
    from lib.services.fallback_cache import FallbackCache
    from lib.stores.dynamodb_cache import DynamoDBCache
    from lib.stores.local_limiter import LocalLimiter
    from lib.stores.redis_cache import RedisCache

    client = bootstrap.redis()
    table = DynamoDBCache(bootstrap.dynamodb(), bootstrap.settings(s.CacheSettings).cache_table)
    caches = (RedisCache(client), table) if client else (table,)
    return FallbackCache(caches, LocalLimiter(), on_outage=bootstrap.on_outage)


@cache
def progress_store() -> "ProgressStore":
    """The progress of running jobs."""
    from lib.services.progress import ProgressStore

    return ProgressStore(bootstrap.shared_cache(), on_outage=bootstrap.on_outage)


@cache
def query_cache() -> "QueryCache":
    """Keeps the answers to expensive queries: in Redis, if there is one, and in this process."""
    from lib import work_settings as w
    from lib.services.query_cache import QueryCache
    from lib.stores.redis_query_cache import RedisQueryStore

    chosen, client = bootstrap.settings(w.QueryCacheSettings), bootstrap.redis()
    return QueryCache(
        RedisQueryStore(client) if client else None,
        max_size=chosen.cache_max_size,
        ttl_seconds=chosen.cache_ttl_seconds,
        on_outage=bootstrap.on_outage,
    )
