"""The local cloud: backing services, the synthesized templates, and what they declare, running on one machine."""

import asyncio
import contextlib
import socket
from base64 import b64encode
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from secrets import token_bytes
from types import TracebackType
from typing import Any, Self

from lib.domain.direct_upload import upload_url
from local.aws import Aws
from local.backing import RecordDatabase
from local.backing_services import BackingServices
from local.console import Console
from local.control import Control
from local.custom_resource import call_custom_resource
from local.deployment import Deployment
from local.developer_key import create_developer_key
from local.endpoints import Endpoints
from local.events import QueueSource
from local.gateway import Gateway
from local.http_front import HttpFront, take_port
from local.loop_thread import LoopThread
from local.resources import apply_stacks
from local.resources.kind import Resource, World
from local.run_directory import RunDirectory
from local.runtime import AsynchronousCalls, FunctionError, Runtime
from local.schedules import Schedules
from local.settings import STAGE, CloudSettings, Part
from local.sqs_client import SqsClient
from local.synth_cache import synthesized
from local.template import ResourceState, Stack, load_assembly

TOKEN_VARIABLE = "WEBHOOK_TOKEN_SECRET_NAME"  # noqa: S105 - the name of a variable, not a secret


class LocalCloud:
    """Runs between `start` and `stop`; also a context manager. `endpoints` is known once it has started.

    with LocalCloud(CloudSettings(port=0, directory=tmp_path)) as cloud:
        requests.get(f"{cloud.endpoints.api_url}/health")
    """

    def __init__(self, settings: CloudSettings, write: Callable[[str], None] = lambda _line: None) -> None:
        self.settings = settings
        self.deployment = Deployment()
        self.endpoints: Endpoints | None = None
        self._directory = RunDirectory(settings.directory)
        self._write = write
        self._stack = contextlib.ExitStack()
        self._custom_states: dict[str, ResourceState] = {}
        self._generated: dict[str, str] = {}

    def start(self) -> Self:
        """Return when the API answers.

        Raises AlreadyRunningError, PortInUseError, BackingError, SynthesisError, TemplateError (a broken migration
        among them, with its reason) or DeveloperKeyError; nothing is left running then.
        """
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """Stop everything and wait for it. Harmless if it did not start, or the second time."""
        self._stack.close()

    def backing(self, service: str, action: str) -> None:
        """Kill, freeze, thaw or start postgres, redis, aws, replicate or cog. KeyError for anything else.

        AWS is in memory only: after a kill and a start its tables, buckets, queues and secrets are created again,
        empty, and the secrets have the values they had.
        """
        empty = service == Part.AWS and action == "start" and not self._services.is_running(Part.AWS)
        self._services.act(service, action)
        if empty:
            self._fill_aws(replace(self._world, deployment=Deployment(), call_custom_resource=self._remember))

    @property
    def record(self) -> RecordDatabase:
        """The record's database. LookupError where no Postgres is run."""
        record = self._services.record
        if record is None:
            raise LookupError("this local cloud runs without a Postgres")
        return record

    @property
    def cog_runs(self) -> int:
        """How often the Cog server's predictor has run."""
        return self._services.cog_runs

    def aws(self) -> Aws:
        """Clients for the local AWS."""
        return self._world.aws

    def run_schedule(self, name: str) -> list[Any]:
        """Run a schedule now and wait: what its targets answered. FunctionError if one fails."""
        return self._loop.run(self._schedules.run_now(name))

    def invoke(self, name: str, event: Any) -> bytes:
        """Call a function by name: its answer as JSON bytes. FunctionError as Lambda would report it."""
        return self._loop.run(self.runtime.invoke(name, event))

    def kill_workers(self, name: str) -> int:
        """SIGKILL to every process of a function; how many there were."""

        async def kill() -> int:
            return self.runtime.pool(name).kill()

        return self._loop.run(kill())

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _start(self) -> None:
        bound = self._stack.enter_context(take_port(self.settings.port))
        self._directory.open()
        self._stack.callback(self._directory.close)
        self._console = Console(self._directory.path / "logs", self._write)
        self._stack.callback(self._console.close)
        self._stacks = self._start_services()
        self._loop = LoopThread()
        self._stack.callback(self._loop.stop)
        api_url = f"http://127.0.0.1:{bound.getsockname()[1]}"
        self._deploy(api_url)
        with ThreadPoolExecutor(max_workers=1) as executor:
            cog = executor.submit(self._services.start_cog, self._upload_url(api_url))
            self.endpoints = self._endpoints(api_url)
            self._serve(bound)
            cog.result()
        self._directory.write_json("endpoints.json", self.endpoints.as_json())

    def _start_services(self) -> list[Stack]:
        """Services and templates, side by side: neither needs the other yet."""
        self._services = BackingServices(self.settings, self._directory.path)
        self._stack.callback(self._services.stop)
        with ThreadPoolExecutor(max_workers=1) as executor:
            stacks = executor.submit(self._load_stacks)
            self._services.start()
            return stacks.result()

    def _load_stacks(self) -> list[Stack]:
        return load_assembly(self.settings.template or synthesized())

    def _deploy(self, api_url: str) -> None:
        self.runtime = self._loop.run(self._make_runtime())
        self._stack.callback(lambda: self._loop.run(self.runtime.close()))
        self._world = World(
            aws=Aws(self._services.url(Part.AWS)),
            deployment=self.deployment,
            call_custom_resource=self._call_custom_resource,
            api_address=api_url,
            generated=self._generated,
        )
        self._fill_aws(self._world)
        for name, function in self.deployment.functions.items():
            environment = {**function.environment, **self._own_secrets(), **self.settings.environment}
            self.deployment.functions[name] = replace(function, environment=environment)

    def _own_secrets(self) -> dict[str, str]:
        """What a laptop has instead of a service: the master key of users' own keys, for as long as this cloud runs."""
        key = self._generated.setdefault("ENCRYPTION_KEY", b64encode(token_bytes(32)).decode("ascii"))
        return {"ENCRYPTION_KEY": key}

    async def _make_runtime(self) -> Runtime:
        return Runtime(
            self.deployment,
            task_root=self.settings.task_root,
            aws_endpoint_url=self._services.url(Part.AWS),
            on_line=self._console.function_line,
            on_error=self._console.function_error,
            max_workers=self.settings.max_workers,
        )

    def _fill_aws(self, world: World) -> None:
        client = world.aws.client("secretsmanager")
        for name, value in self._services.secrets().items():
            client.create_secret(Name=f"vsl/{STAGE}/{name}", SecretString=value)
        client.close()
        apply_stacks(self._stacks, world, {**self._services.parameters(STAGE), **self.settings.parameters})

    def _call_custom_resource(self, resource: Resource) -> ResourceState:
        state = self._loop.run(call_custom_resource(resource, self.runtime))
        self._custom_states[resource.where] = state
        return state

    def _remember(self, resource: Resource) -> ResourceState:
        return self._custom_states[resource.where]

    def _upload_url(self, api_url: str) -> str:
        """Where the Cog server puts its files; "" where no function has a key for its token."""
        variables = (each.environment.get(TOKEN_VARIABLE) for each in self.deployment.functions.values())
        name = next(filter(None, variables), None)
        if name is None:
            return ""
        client = self._world.aws.client("secretsmanager")
        found = client.get_secret_value(SecretId=name)["SecretString"]
        client.close()
        return upload_url(api_url, found, "cog")

    def _endpoints(self, api_url: str) -> Endpoints:
        postgres, redis, aws = (self._services.url(part) for part in (Part.POSTGRES, Part.REDIS, Part.AWS))
        key = ""
        if postgres:
            key = create_developer_key(postgres_url=postgres, redis_url=redis, aws_endpoint_url=aws)
        record = self._services.record
        return Endpoints(
            api_url=api_url,
            api_key=key,
            postgres_url=postgres,
            postgres_api_url=record.api_url if record else "",
            postgres_worker_url=record.worker_url if record else "",
            redis_url=redis,
            aws_endpoint_url=aws,
            replicate_url=self._services.url(Part.REPLICATE),
            cog_url=self._services.url(Part.COG),
            provider_urls=self._services.provider_urls(),
        )

    def _serve(self, bound: socket.socket) -> None:
        serving = self._loop.run(self._start_serving(bound))
        self._stack.callback(lambda: self._loop.run(self._stop_serving(*serving)))

    async def _start_serving(self, bound: socket.socket) -> "tuple[HttpFront, list[asyncio.Task[None]]]":
        sqs = SqsClient(self._services.url(Part.AWS))
        self._schedules = Schedules(self.runtime, AsynchronousCalls(self.runtime, sqs))
        tasks = [asyncio.create_task(self._schedules.run())]
        for source in self.deployment.event_sources:
            url = (await sqs.call("GetQueueUrl", QueueName=source.queue_arn.rpartition(":")[2]))["QueueUrl"]
            queue = QueueSource(source, sqs=sqs, queue_url=url, runtime=self.runtime)
            tasks.append(asyncio.create_task(queue.run()))
        control = Control(self.runtime, self._schedules, self.backing)
        gateway = Gateway(self.deployment, self.runtime, control=control, on_request=self._console.request)
        front = HttpFront(gateway, bound)
        tasks.insert(0, await front.start())
        if self.settings.warm:
            tasks.append(asyncio.create_task(self._warm()))
        for task in tasks:
            task.add_done_callback(self._ended)
        return front, tasks

    def _ended(self, task: "asyncio.Task[None]") -> None:
        """None of them may end by itself with an error: say so rather than stand still in silence."""
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._console.say(f"FAILED the local cloud itself: {error!r}")

    async def _warm(self) -> None:
        """One process for each function that somebody may wait for, so that first calls are quick."""
        arns = [route.integration.function_arn for route in self.deployment.routes]
        arns += [source.function_arn for source in self.deployment.event_sources]
        for arn in dict.fromkeys(arns):
            function = self.deployment.function_by_arn(arn)
            try:
                await self.runtime.pool(function.name).warm()
            except FunctionError as error:
                self._console.function_error(function.name, error)

    async def _stop_serving(self, front: HttpFront, tasks: "list[asyncio.Task[None]]") -> None:
        front.stop()
        await asyncio.wait(tasks[:1], timeout=2)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
