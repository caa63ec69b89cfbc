"""Where a running local cloud is reached."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoints:
    """Addresses without a trailing slash; "" for what does not run. `replicate_url` has no /v1.

    `postgres_url` is the migrator's, who owns the tables (for `python -m lib.keys` and the like); the functions have
    the other two. `provider_urls` has the simulated providers by name.
    """

    api_url: str
    api_key: str
    postgres_url: str
    postgres_api_url: str
    postgres_worker_url: str
    redis_url: str
    aws_endpoint_url: str
    replicate_url: str
    cog_url: str = ""
    provider_urls: Mapping[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """The content of `.local/endpoints.json`."""
        return {
            "apiUrl": self.api_url,
            "apiKey": self.api_key,
            "postgresUrl": self.postgres_url,
            "postgresApiUrl": self.postgres_api_url,
            "postgresWorkerUrl": self.postgres_worker_url,
            "redisUrl": self.redis_url,
            "awsEndpointUrl": self.aws_endpoint_url,
            "replicateUrl": self.replicate_url,
            "cogUrl": self.cog_url,
            "providerUrls": dict(self.provider_urls),
        }
