"""The HTTP routes: which function answers which method and path. The templates and the tests derive from it."""

from dataclasses import dataclass
from enum import StrEnum


class Access(StrEnum):
    """Who may call a route; API Gateway lets every caller through to the function, for the reason given here."""

    API_KEY = "The function checks the API key, whose cached hash spares the round trip of an authorizer."
    WEBHOOK_TOKEN = (
        "Providers hold no key of ours: the function checks our token and the provider's signature."
    )
    PUBLIC = "Public by design: it tells nothing about users or jobs."


@dataclass(frozen=True)
class Route:
    """One API Gateway route; `path` is written as API Gateway writes it, parameters in braces."""

    function: str
    method: str
    path: str
    access: Access

    @property
    def key(self) -> str:
        """API Gateway's route key, as in `GET /status/{jobId}`."""
        return f"{self.method} {self.path}"

    @property
    def construct_id(self) -> str:
        """An id that is unique among the routes, as in `GetStatusJobId`."""
        words = self.path.replace("{", "").replace("}", "").replace(".", "/").replace("-", "/").split("/")
        return self.method.title() + "".join(word[:1].upper() + word[1:] for word in words)


ROUTES = (
    Route("generate_media", "POST", "/generate-media", Access.API_KEY),
    Route("process_webhook", "POST", "/webhook/{provider}", Access.WEBHOOK_TOKEN),
    Route("get_status", "GET", "/status/{jobId}", Access.API_KEY),
    Route("manage_jobs", "GET", "/jobs", Access.API_KEY),
    Route("manage_jobs", "POST", "/jobs/{jobId}/cancel", Access.API_KEY),
    Route("describe_api", "GET", "/models", Access.API_KEY),
    Route("describe_api", "GET", "/health", Access.PUBLIC),
    Route("describe_api", "GET", "/openapi.json", Access.PUBLIC),
    Route("describe_api", "GET", "/docs", Access.PUBLIC),
)
