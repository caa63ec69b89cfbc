"""How one local cloud is run."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from local.backing.moto import REPOSITORY
from local.runtime.runtime import MAX_WORKERS

STAGE = "local"
DEFAULT_PORT = 8787


class Part(StrEnum):
    """A service that the cloud starts beside the functions."""

    POSTGRES = "postgres"
    REDIS = "redis"
    AWS = "aws"
    REPLICATE = "replicate"
    PROVIDERS = "providers"
    COG = "cog"


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudSettings:
    """What to run and where.

    `port` 0 takes a free one. `directory` is emptied. `template` is a cloud assembly; None synthesizes app.py.
    `parameters` override the stacks' parameters, `environment` the variables of every function. `parts` other than
    AWS may be left out where the template does not need them; without Postgres there is no API key. With
    `replicate_token` the real Replicate is used, by polling, instead of the simulator; `provider_keys` are those of the
    other providers that are to be the real ones, by name. `output_hosts` are pairs host:port of this machine from which
    outputs may be fetched over plain http, beside the simulators' own.
    """

    port: int = DEFAULT_PORT
    directory: Path = REPOSITORY / ".local"
    template: Path | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    parts: frozenset[Part] = frozenset(Part)
    replicate_token: str = ""
    provider_keys: Mapping[str, str] = field(default_factory=dict)
    output_hosts: tuple[str, ...] = ()
    task_root: Path = REPOSITORY
    max_workers: int = MAX_WORKERS
    warm: bool = False
