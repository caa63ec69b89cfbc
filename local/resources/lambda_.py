"""Lambda functions, their event sources and asynchronous settings."""

from local.aws import arn
from local.deployment import AsynchronousConfig, EventSource, Function
from local.resources.kind import Kind, Resource, World, kind
from local.template import ResourceState


def _function(resource: Resource, world: World) -> ResourceState:
    given = resource.properties
    name = resource.physical_name("FunctionName")
    runtime = str(given.get("Runtime", ""))
    if not runtime.startswith("python"):
        raise resource.error(f"the runtime {runtime or '(none)'} cannot run here; Python can")
    function = Function(
        name=name,
        arn=arn("lambda", f"function:{name}"),
        handler=str(resource.require("Handler")),
        runtime=runtime,
        timeout_seconds=int(given.get("Timeout", 3)),
        memory_mb=int(given.get("MemorySize", 128)),
        environment={key: str(value) for key, value in _variables(resource).items()},
        reserved_concurrency=given.get("ReservedConcurrentExecutions"),
        dead_letter_arn=given.get("DeadLetterConfig", {}).get("TargetArn"),
    )
    world.deployment.functions[name] = function
    return ResourceState(ref=name, attributes={"Arn": function.arn})


def _variables(resource: Resource) -> dict[str, object]:
    variables: dict[str, object] = resource.properties.get("Environment", {}).get("Variables", {})
    for name, value in variables.items():
        if not isinstance(value, str | int | float | bool):
            raise resource.error(f"the environment variable {name} is no text: {value!r}")
    return variables


def _event_source(resource: Resource, world: World) -> ResourceState:
    given = resource.properties
    queue_arn = str(resource.require("EventSourceArn"))
    if ":sqs:" not in queue_arn:
        raise resource.error(f"event source {queue_arn}: only SQS queues are understood")
    function = str(resource.require("FunctionName"))
    if not given.get("Enabled", True):
        return ResourceState(ref=resource.logical_id)
    world.deployment.event_sources.append(
        EventSource(
            queue_arn=queue_arn,
            function_arn=function if function.startswith("arn:") else arn("lambda", f"function:{function}"),
            batch_size=int(given.get("BatchSize", 10)),
            window_seconds=int(given.get("MaximumBatchingWindowInSeconds", 0)),
            reports_item_failures="ReportBatchItemFailures" in given.get("FunctionResponseTypes", []),
            max_concurrency=given.get("ScalingConfig", {}).get("MaximumConcurrency"),
        )
    )
    return ResourceState(ref=resource.logical_id)


def _asynchronous(resource: Resource, world: World) -> ResourceState:
    given = resource.properties
    name = str(resource.require("FunctionName")).split(":function:")[-1]
    destinations = given.get("DestinationConfig", {})
    if "OnSuccess" in destinations:
        raise resource.error("OnSuccess destinations are not understood by the local cloud")
    world.deployment.asynchronous[name] = AsynchronousConfig(
        function_name=name,
        max_retries=int(given.get("MaximumRetryAttempts", 2)),
        on_failure_arn=destinations.get("OnFailure", {}).get("Destination"),
    )
    return ResourceState(ref=resource.logical_id)


KINDS: dict[str, Kind] = {
    "AWS::Lambda::Function": kind(
        _function,
        used="FunctionName Handler Runtime Timeout MemorySize Environment ReservedConcurrentExecutions"
        " DeadLetterConfig",
        harmless="Architectures Code Description EphemeralStorage KmsKeyArn LoggingConfig RecursiveLoop Role"
        " RuntimeManagementConfig SnapStart Tags TracingConfig PackageType Layers",
    ),
    "AWS::Lambda::EventSourceMapping": kind(
        _event_source,
        used="EventSourceArn FunctionName Enabled BatchSize MaximumBatchingWindowInSeconds"
        " FunctionResponseTypes ScalingConfig",
        harmless="Tags MetricsConfig",
    ),
    "AWS::Lambda::EventInvokeConfig": kind(
        _asynchronous,
        used="FunctionName Qualifier MaximumRetryAttempts DestinationConfig",
        harmless="MaximumEventAgeInSeconds",
    ),
}
