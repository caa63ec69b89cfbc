"""The services beside the functions: started at once, stopped together, and broken on demand."""

import json
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from local.backing import Moto, Postgres, RecordDatabase, Redis
from local.backing.service import Service
from local.cog.server import CogServer
from local.provider_simulators import ProviderSimulators
from local.providers.registry import MODULES
from local.replicate.settings import DEFAULT_TOKEN
from local.settings import STAGE, CloudSettings, Part
from local.simulator import Simulator

REAL_REPLICATE = "https://api.replicate.com"
COG_TOKEN = "cog_local_server"  # noqa: S105 - proves webhooks of the local Cog server, and nothing else


class BackingServices:
    """The services that `settings.parts` names; a provider's simulator gives way to a real key.

    Cog's address is known at once, as the functions need it; the server itself is started by `start_cog`.
    """

    def __init__(self, settings: CloudSettings, directory: Path) -> None:
        self._keys = dict(settings.provider_keys)
        simulated = [name for name in MODULES if name not in self._keys]
        kinds: dict[Part, Callable[[], Service]] = {
            Part.POSTGRES: lambda: Postgres(directory / "postgres"),
            Part.REDIS: lambda: Redis(directory / "redis"),
            Part.AWS: lambda: Moto(directory / "aws"),
            Part.REPLICATE: lambda: Simulator(directory / "replicate"),
            Part.PROVIDERS: lambda: ProviderSimulators(directory / "providers", names=simulated),
            Part.COG: lambda: CogServer(directory / "cog", webhook_token=COG_TOKEN),
        }
        self._token = settings.replicate_token
        self._real = bool(settings.replicate_token)
        self._output_hosts = settings.output_hosts
        wanted = settings.parts - ({Part.REPLICATE} if self._real else set())
        self._services = {part: kinds[part]() for part in Part if part in wanted}
        postgres = self._services.get(Part.POSTGRES)
        self.record = (
            RecordDatabase(postgres, name="vsl", stage=STAGE) if isinstance(postgres, Postgres) else None
        )

    def start(self) -> None:
        """Start all at once, and make the record's database; the first failure is raised when the others have
        started or failed too.
        """
        if Part.COG in self._services:
            self._services[Part.COG].hold_port()
        with ThreadPoolExecutor(max_workers=len(Part)) as executor:
            started: list[Future[Service]] = [
                executor.submit(service.start)
                for part, service in self._services.items()
                if part is not Part.COG
            ]
        for future in started:
            future.result()
        if self.record is not None:
            self.record.make()

    def start_cog(self, upload_url: str) -> None:
        """Start the Cog server, if there is one, with the address to which it is to put its files."""
        server = self._services.get(Part.COG)
        if isinstance(server, CogServer):
            server.upload_url = upload_url
            server.start()

    @property
    def cog_runs(self) -> int:
        """How often the Cog server's predictor has run."""
        server = self._services.get(Part.COG)
        return server.runs if isinstance(server, CogServer) else 0

    def stop(self) -> None:
        """Stop all; harmless for those that do not run."""
        with ThreadPoolExecutor(max_workers=len(Part)) as executor:
            list(executor.map(lambda service: service.stop(), self._services.values()))

    def url(self, part: Part) -> str:
        """The address of a service, "" if it is left out; of Postgres the migrator's."""
        if part is Part.POSTGRES:
            return self.record.owner_url if self.record else ""
        if part is Part.REPLICATE and self._real:
            return REAL_REPLICATE
        return self._services[part].url if part in self._services else ""

    def provider_urls(self) -> dict[str, str]:
        """The addresses of the simulated providers, by name."""
        simulators = self._services.get(Part.PROVIDERS)
        return simulators.urls if isinstance(simulators, ProviderSimulators) else {}

    def act(self, name: str, action: str) -> None:
        """`kill`, `freeze`, `thaw` or `start` of a part by its name; KeyError for anything else."""
        service = self._services[Part(name)] if name in self._services else None
        if service is None:
            raise KeyError(name)
        {"kill": service.kill, "freeze": service.freeze, "thaw": service.thaw, "start": service.start}[
            action
        ]()

    def is_running(self, part: Part) -> bool:
        """True if the service was started and has not been killed (frozen counts as running)."""
        return part in self._services and self._services[part].running

    def secrets(self) -> dict[str, str]:
        """What the operator would put into Secrets Manager: secret name without `vsl/{stage}/` -> value."""
        record = self.record
        simulated = DEFAULT_TOKEN if self.url(Part.REPLICATE) else ""
        values = {
            "database/main": record.api_url if record else "",
            "database/worker": record.worker_url if record else "",
            "database/migrator": record.owner_url if record else "",
            "redis/main": self.url(Part.REDIS),
            "providers/replicate": self._token if self._real else simulated,
            "providers/cog": json.dumps({"webhookToken": COG_TOKEN}) if self.url(Part.COG) else "",
        }
        simulators = self._services.get(Part.PROVIDERS)
        keys = {**(simulators.keys() if isinstance(simulators, ProviderSimulators) else {}), **self._keys}
        values |= {f"providers/{name}": key for name, key in keys.items()}
        return {name: value for name, value in values.items() if value}

    def parameters(self, stage: str) -> dict[str, str]:
        """The stack parameters that point the functions at these services."""
        redis = {"RedisSecretName": f"vsl/{stage}/redis/main"} if self.url(Part.REDIS) else {}
        return {**redis, **self._provider_parameters()}

    def _provider_parameters(self) -> dict[str, str]:
        """Where the providers are, where their files may be, and which of them can call back to this machine."""
        values: dict[str, str] = {}
        files = list(self._output_hosts)
        replicate, others = self._services.get(Part.REPLICATE), self._services.get(Part.PROVIDERS)
        if isinstance(replicate, Simulator):
            files.append(f"127.0.0.1:{replicate.media_port}")
        if isinstance(others, ProviderSimulators):
            files.append(f"127.0.0.1:{others.port}")
        if addresses := self._provider_addresses():
            values["ProviderAddresses"] = json.dumps(addresses)
        if files:
            values["OutputHostException"] = ",".join(files)
        real = [*(["replicate"] if self._real else []), *self._keys]
        if real:  # they cannot call back to a laptop, as what runs here can: ask them, and soon
            values |= {"ProviderWebhooks": f"except:{','.join(real)}", "PollAfterSeconds": "2"}
        elif values:
            values["ProviderWebhooks"] = "enabled"
        return values

    def _provider_addresses(self) -> dict[str, Mapping[str, str]]:
        """Where the providers are that run here: name -> the addresses of its adapter."""
        simulators = self._services.get(Part.PROVIDERS)
        found = dict(simulators.addresses()) if isinstance(simulators, ProviderSimulators) else {}
        alone = {"replicate": Part.REPLICATE, "cog": Part.COG}
        return found | {
            name: {"base_url": self.url(part)} for name, part in alone.items() if part in self._services
        }
