"""Starts the simulated providers (`local.providers`) as one process, and says where the adapters find them."""

import json
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from local.backing import ports
from local.backing.moto import REPOSITORY
from local.backing.service import Service
from local.providers.registry import MODULES, load


class ProviderSimulators(Service):
    """The simulators of `names`, a port each, with their files on `port`. SIM_* variables of the caller reach them."""

    name = "the provider simulators"

    def __init__(self, data_dir: Path, port: int = 0, *, names: Iterable[str] = tuple(MODULES)) -> None:
        self.names = tuple(names)
        super().__init__(data_dir, port, further_ports=len(self.names))

    @property
    def url(self) -> str:
        """The address of their output files."""
        return f"http://{ports.LOOPBACK}:{self.port}"

    @property
    def ports(self) -> dict[str, int]:
        """Each provider's port; 0 before the first start."""
        return dict(zip(self.names, self.further_ports, strict=True))

    @property
    def urls(self) -> dict[str, str]:
        """Each provider's address."""
        return {name: f"http://{ports.LOOPBACK}:{port}" for name, port in self.ports.items()}

    def addresses(self) -> Mapping[str, Mapping[str, str]]:
        """What PROVIDER_ADDRESSES is to say: provider -> field of its adapter -> address."""
        found = {name: load(name).addresses(url) for name, url in self.urls.items()}
        return {name: fields for name, fields in found.items() if fields}

    def keys(self) -> dict[str, str]:
        """The keys that open the simulators, by provider."""
        return {name: load(name).LOCAL_KEY for name in self.names}

    def _prepare(self) -> None:
        self.data_dir.mkdir(parents=True, exist_ok=True)

    def _spawn(self) -> "subprocess.Popen[bytes]":
        module = [sys.executable, "-m", "local.providers", "--only", ",".join(self.names)]
        return self._launch(
            [*module, "--ports", json.dumps(self.ports), "--media-port", str(self.port)], REPOSITORY
        )

    def _ready(self) -> bool:
        return all(ports.accepts_connections(port) for port in (self.port, *self.ports.values()))
