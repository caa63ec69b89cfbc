"""What a template asks to be run: functions, routes, event sources, schedules.

The interpreter fills a `Deployment`; the runtime serves it. Tables, buckets and queues live in moto.
"""

from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """A Lambda function as its template declares it."""

    name: str
    arn: str
    handler: str
    runtime: str
    timeout_seconds: int
    memory_mb: int
    environment: dict[str, str]
    reserved_concurrency: int | None = None
    dead_letter_arn: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventSource:
    """An SQS queue that feeds a function."""

    queue_arn: str
    function_arn: str
    batch_size: int
    window_seconds: int
    reports_item_failures: bool
    max_concurrency: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cors:
    """CorsConfiguration of an HTTP API; header and method names as given."""

    allow_origins: tuple[str, ...] = ()
    allow_methods: tuple[str, ...] = ()
    allow_headers: tuple[str, ...] = ()
    expose_headers: tuple[str, ...] = ()
    max_age: int | None = None
    allow_credentials: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """An HTTP API."""

    api_id: str
    name: str
    cors: Cors | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Integration:
    """A Lambda proxy integration."""

    function_arn: str
    timeout_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A route of an API; `key` is "GET /path/{name}", "ANY /path" or "$default"."""

    api_id: str
    key: str
    integration: Integration


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A target of a schedule. `payload` None means AWS's own "Scheduled Event"."""

    arn: str
    payload: Any = None
    dead_letter_arn: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """An EventBridge rule or Scheduler schedule with a time expression."""

    name: str
    arn: str
    expression: str
    enabled: bool
    targets: tuple[Target, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AsynchronousConfig:
    """AWS::Lambda::EventInvokeConfig of a function."""

    function_name: str
    max_retries: int
    on_failure_arn: str | None


@dataclass(slots=True)
class Deployment:
    """Everything that runs, as the templates asked for it."""

    functions: dict[str, Function] = field(default_factory=dict)  # by name
    event_sources: list[EventSource] = field(default_factory=list)
    apis: dict[str, Api] = field(default_factory=dict)  # by id
    integrations: dict[str, Integration] = field(default_factory=dict)  # by id
    routes: list[Route] = field(default_factory=list)
    schedules: dict[str, Schedule] = field(default_factory=dict)  # by name
    asynchronous: dict[str, AsynchronousConfig] = field(default_factory=dict)  # by function name
    outputs: dict[str, Any] = field(default_factory=dict)  # of all stacks, by name

    def function_by_arn(self, arn: str) -> Function:
        """The function of an ARN (a qualifier at its end is ignored); KeyError if there is none."""
        return self.functions[arn.rsplit(":function:", maxsplit=1)[-1].split(":", maxsplit=1)[0]]
