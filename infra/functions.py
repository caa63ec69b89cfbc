"""The Lambda functions as data: limits, and what each may touch. Permissions and variables derive from it."""

from dataclasses import dataclass
from enum import StrEnum, auto


class Need(StrEnum):
    """One thing a function uses; `infra/wiring.py` turns it into both its variables and its permissions."""

    DATABASE = auto()
    DATABASE_WORKER = auto()
    DATABASE_MIGRATOR = auto()
    DATABASE_REPLICA = auto()
    REDIS = auto()
    PROVIDERS = auto()
    CREDENTIALS_OPEN = auto()
    CREDENTIALS_SEAL = auto()
    WEBHOOK_TOKEN = auto()
    CALLBACK = auto()
    MODELS = auto()
    LIMITS = auto()
    SCHEDULING = auto()
    CIRCUITS = auto()
    OUTPUTS = auto()
    PROMPT_LOGGING = auto()
    RETENTION = auto()
    QUERY_CACHE = auto()
    JOBS_READ = auto()
    JOBS_WRITE = auto()
    JOBS_IN_FLIGHT = auto()
    CACHE_TABLE = auto()
    CACHE_FORGET = auto()
    CACHE_COUNT = auto()
    MEDIA_READ = auto()
    MEDIA_WRITE = auto()
    UPLOADS_LIST = auto()
    BUCKET_LIST = auto()
    REQUESTS_READ = auto()
    REQUESTS_WRITE = auto()
    TEMP_READ = auto()
    TEMP_WRITE = auto()
    TEMP_PARK = auto()
    ADVANCE_SEND = auto()
    STORE_SEND = auto()
    SUBMIT_SEND = auto()
    QUEUES_OBSERVE = auto()


@dataclass(frozen=True, kw_only=True)
class FunctionSpec:
    """One function: `handlers.<name>.handler`, its limits, and what it needs.

    `with_media` puts the decoders of requirements-media.txt into its bundle. `re_queues` marks a worker that
    sends to its own queue on purpose; Lambda's loop detection would stop it after 16 rounds. `disk_mb` is /tmp, where
    media that comes inside an answer lies.
    """

    name: str
    timeout_seconds: int
    memory_mb: int
    needs: frozenset[Need]
    with_media: bool = False
    re_queues: bool = False
    disk_mb: int = 512

    @property
    def handler(self) -> str:
        """The handler string of the Lambda configuration."""
        return f"handlers.{self.name}.handler"

    @property
    def dashed(self) -> str:
        """The name as it stands in physical names, as in `get-status`."""
        return self.name.replace("_", "-")

    @property
    def construct_id(self) -> str:
        """The name in camel case, as in `GetStatus`."""
        return self.name.title().replace("_", "")


# Who answers callers sees the record as vsl_api, through its policies, and sends what happened to the workers.
_KEY_CHECK = frozenset({Need.DATABASE, Need.REDIS, Need.CACHE_TABLE, Need.CACHE_FORGET, Need.ADVANCE_SEND})
_TRANSITIONS = frozenset({Need.REDIS, Need.JOBS_WRITE, Need.ADVANCE_SEND, Need.STORE_SEND, Need.SUBMIT_SEND})
_WORKING = _TRANSITIONS | {Need.DATABASE_WORKER}
_SUBMITTING = frozenset(
    {
        Need.PROVIDERS,
        Need.CREDENTIALS_OPEN,
        Need.WEBHOOK_TOKEN,
        Need.CALLBACK,
        Need.SCHEDULING,
        Need.CIRCUITS,
        Need.CACHE_TABLE,
    }
)
# An answer may be the result itself: it is kept until `store_result` takes it.
_PARKING = frozenset({Need.REQUESTS_READ, Need.TEMP_READ, Need.TEMP_PARK, Need.BUCKET_LIST})

FUNCTIONS = (
    FunctionSpec(
        name="generate_media",
        timeout_seconds=30,
        memory_mb=1024,
        needs=_KEY_CHECK
        | _TRANSITIONS
        | _SUBMITTING
        | {Need.CACHE_COUNT, Need.LIMITS, Need.PROMPT_LOGGING, Need.MODELS, Need.REQUESTS_WRITE},
    ),
    FunctionSpec(
        name="process_webhook",
        timeout_seconds=10,
        memory_mb=512,
        needs=frozenset({Need.PROVIDERS, Need.WEBHOOK_TOKEN, Need.ADVANCE_SEND, Need.TEMP_WRITE}),
    ),
    FunctionSpec(
        name="receive_upload",
        timeout_seconds=10,
        memory_mb=256,
        needs=frozenset({Need.WEBHOOK_TOKEN, Need.TEMP_WRITE, Need.ADVANCE_SEND}),
    ),
    FunctionSpec(
        name="get_status",
        timeout_seconds=10,
        memory_mb=512,
        needs=_KEY_CHECK | {Need.JOBS_READ, Need.JOBS_WRITE, Need.MEDIA_READ},
    ),
    FunctionSpec(
        name="manage_jobs",
        timeout_seconds=30,
        memory_mb=512,
        needs=_KEY_CHECK | _TRANSITIONS | {Need.MEDIA_READ, Need.QUERY_CACHE},
    ),
    FunctionSpec(
        name="manage_providers",
        timeout_seconds=30,
        memory_mb=512,
        needs=_KEY_CHECK
        | {
            Need.CACHE_COUNT,
            Need.PROVIDERS,
            Need.CREDENTIALS_OPEN,
            Need.CREDENTIALS_SEAL,
            Need.MODELS,
        },
    ),
    FunctionSpec(
        name="describe_api",
        timeout_seconds=10,
        memory_mb=512,
        needs=_KEY_CHECK | {Need.MODELS, Need.JOBS_READ, Need.QUEUES_OBSERVE},
    ),
    FunctionSpec(
        name="read_analytics",
        timeout_seconds=30,
        memory_mb=512,
        needs=_KEY_CHECK | {Need.DATABASE_REPLICA, Need.QUERY_CACHE},
    ),
    FunctionSpec(
        name="check_replicate_status",
        timeout_seconds=60,
        memory_mb=512,
        needs=_WORKING | {Need.JOBS_IN_FLIGHT, Need.RETENTION},
    ),
    FunctionSpec(
        name="advance_job",
        timeout_seconds=60,
        memory_mb=512,
        disk_mb=2048,
        needs=_WORKING | _SUBMITTING | _PARKING,
        re_queues=True,
    ),
    FunctionSpec(
        name="submit_job",
        timeout_seconds=420,
        memory_mb=1024,
        disk_mb=2048,
        needs=_WORKING | _SUBMITTING | _PARKING,
        re_queues=True,
    ),
    FunctionSpec(
        name="store_result",
        timeout_seconds=300,
        memory_mb=2048,
        needs=_WORKING
        | {Need.MEDIA_READ, Need.MEDIA_WRITE, Need.UPLOADS_LIST, Need.BUCKET_LIST, Need.TEMP_READ}
        | {Need.OUTPUTS, Need.SCHEDULING},
        with_media=True,
        re_queues=True,
    ),
    FunctionSpec(
        name="migrate_database",
        timeout_seconds=300,
        memory_mb=512,
        needs=frozenset({Need.DATABASE_MIGRATOR}),
    ),
)
