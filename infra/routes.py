"""The HTTP routes: which function answers which method and path, and who may call it."""

from dataclasses import dataclass
from enum import StrEnum


class Access(StrEnum):
    """Who may call a route, and why API Gateway itself lets every caller through to the function."""

    API_KEY = "The function checks the API key, whose cached hash spares the round trip of an authorizer."
    ADMIN = "The function checks the API key as above, and then that its user is an admin."
    CALLBACK = "Providers hold no key of ours: the function checks the signed address and their signature."
    PUBLIC = "Public by design: it tells nothing about users or jobs."
    NOTHING = "There is nothing here: the function says so in the words of every other error."


@dataclass(frozen=True)
class Route:
    """One API Gateway route; `path` is written as API Gateway writes it, parameters in braces."""

    function: str
    method: str
    path: str
    access: Access

    @property
    def key(self) -> str:
        """API Gateway's route key, as in `GET /status/{jobId}`; without a method, `$default`."""
        return f"{self.method} {self.path}" if self.method else self.path

    @property
    def construct_id(self) -> str:
        """An id that is unique among the routes, as in `GetStatusJobId`."""
        words = (
            self.path.strip("$")
            .replace("{", "")
            .replace("}", "")
            .replace(".", "/")
            .replace("-", "/")
            .split("/")
        )
        return self.method.title() + "".join(word[:1].upper() + word[1:] for word in words)


ROUTES = (
    Route("generate_media", "POST", "/generate-media", Access.API_KEY),
    Route("process_webhook", "POST", "/webhook/{provider}", Access.CALLBACK),
    Route("receive_upload", "PUT", "/upload/{provider}/{filename}", Access.CALLBACK),
    Route("get_status", "GET", "/status/{jobId}", Access.API_KEY),
    Route("manage_jobs", "GET", "/jobs", Access.API_KEY),
    Route("manage_jobs", "GET", "/jobs/{jobId}", Access.API_KEY),
    Route("manage_jobs", "GET", "/jobs/{jobId}/timeline", Access.API_KEY),
    Route("manage_jobs", "GET", "/jobs/{jobId}/elements", Access.API_KEY),
    Route("manage_jobs", "GET", "/jobs/{jobId}/storage", Access.API_KEY),
    Route("manage_jobs", "POST", "/jobs/{jobId}/cancel", Access.API_KEY),
    Route("manage_jobs", "GET", "/media/{outputId}", Access.API_KEY),
    Route("manage_jobs", "GET", "/providers/{provider}/jobs/{providerJobId}", Access.API_KEY),
    Route("manage_providers", "GET", "/providers", Access.API_KEY),
    Route("manage_providers", "GET", "/providers/{provider}/capabilities", Access.API_KEY),
    Route("read_analytics", "GET", "/analytics/system", Access.ADMIN),
    Route("read_analytics", "GET", "/analytics/processing", Access.ADMIN),
    Route("read_analytics", "GET", "/analytics/storage", Access.ADMIN),
    Route("read_analytics", "GET", "/analytics/daily", Access.ADMIN),
    Route("describe_api", "GET", "/models", Access.API_KEY),
    Route("manage_providers", "PUT", "/providers/{provider}/credentials", Access.API_KEY),
    Route("manage_providers", "GET", "/providers/{provider}/credentials", Access.API_KEY),
    Route("manage_providers", "DELETE", "/providers/{provider}/credentials", Access.API_KEY),
    Route("manage_providers", "POST", "/providers/{provider}/test", Access.API_KEY),
    Route("describe_api", "GET", "/health", Access.PUBLIC),
    Route("describe_api", "GET", "/health/details", Access.ADMIN),
    Route("describe_api", "GET", "/openapi.json", Access.PUBLIC),
    Route("describe_api", "GET", "/docs", Access.PUBLIC),
)
DEFAULT_ROUTE = Route("describe_api", "", "$default", Access.NOTHING)
"""All that no other route takes: unknown paths, and known ones with a wrong method."""
