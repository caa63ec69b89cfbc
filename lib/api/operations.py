"""The operations of the HTTP API: the one table from which routes and documentation derive."""

from dataclasses import dataclass
from enum import StrEnum


class Access(StrEnum):
    """Who may call an operation."""

    API_KEY = "api_key"
    ADMIN = "admin"
    CALLBACK = "callback"
    PUBLIC = "public"


@dataclass(frozen=True)
class Operation:
    """One method on one path; `path` is written with its parameters in braces, `function` is the handler's."""

    name: str
    function: str
    method: str
    path: str
    summary: str
    access: Access
    tag: str

    @property
    def rule(self) -> str:
        """The path as Powertools' resolver writes it."""
        return (
            self.path.replace("{jobId}", "<job_id>")
            .replace("{outputId}", "<output_id>")
            .replace("{provider}", "<provider>")
            .replace("{filename}", "<filename>")
            .replace("{providerJobId}", "<provider_job_id>")
        )

    def parameters_in(self, path: str) -> dict[str, str] | None:
        """What stands at the parameters in this path; None if the path is not this operation's."""
        wanted, given = self.path.split("/"), path.rstrip("/").split("/")
        if len(wanted) != len(given):
            return None
        pairs = list(zip(wanted, given, strict=True))
        if not all((want.startswith("{") and have) or want == have for want, have in pairs):
            return None
        return {want.strip("{}"): have for want, have in pairs if want.startswith("{")}


GENERATE = Operation(
    "generateMedia",
    "generate_media",
    "POST",
    "/generate-media",
    "Start a job",
    Access.API_KEY,
    "Jobs",
)
GET_STATUS = Operation(
    "getStatus", "get_status", "GET", "/status/{jobId}", "How a job stands", Access.API_KEY, "Jobs"
)
LIST_JOBS = Operation("listJobs", "manage_jobs", "GET", "/jobs", "My jobs", Access.API_KEY, "Jobs")
GET_JOB = Operation(
    "getJob", "manage_jobs", "GET", "/jobs/{jobId}", "All that is known of a job", Access.API_KEY, "Jobs"
)
GET_TIMELINE = Operation(
    "getTimeline",
    "manage_jobs",
    "GET",
    "/jobs/{jobId}/timeline",
    "The steps of the work on a job",
    Access.API_KEY,
    "Jobs",
)
GET_ELEMENTS = Operation(
    "getElements",
    "manage_jobs",
    "GET",
    "/jobs/{jobId}/elements",
    "What a composed job is made of",
    Access.API_KEY,
    "Jobs",
)
GET_STORAGE = Operation(
    "getStorage",
    "manage_jobs",
    "GET",
    "/jobs/{jobId}/storage",
    "What was moved for a job",
    Access.API_KEY,
    "Jobs",
)
GET_MEDIA = Operation(
    "getMedia", "manage_jobs", "GET", "/media/{outputId}", "Read what was made", Access.API_KEY, "Jobs"
)
CANCEL_JOB = Operation(
    "cancelJob", "manage_jobs", "POST", "/jobs/{jobId}/cancel", "Cancel a job", Access.API_KEY, "Jobs"
)
LIST_MODELS = Operation(
    "listModels", "describe_api", "GET", "/models", "What can be made", Access.API_KEY, "Models"
)
LIST_PROVIDERS = Operation(
    "listProviders",
    "manage_providers",
    "GET",
    "/providers",
    "All providers, and which of them I can use",
    Access.API_KEY,
    "Providers",
)
GET_CAPABILITIES = Operation(
    "getProviderCapabilities",
    "manage_providers",
    "GET",
    "/providers/{provider}/capabilities",
    "What a provider can do",
    Access.API_KEY,
    "Providers",
)
FIND_JOB = Operation(
    "findJobAtProvider",
    "manage_jobs",
    "GET",
    "/providers/{provider}/jobs/{providerJobId}",
    "How my job with this id of its provider stands",
    Access.API_KEY,
    "Jobs",
)
PUT_CREDENTIALS = Operation(
    "putCredentials",
    "manage_providers",
    "PUT",
    "/providers/{provider}/credentials",
    "Bring a key of your own",
    Access.API_KEY,
    "Keys",
)
GET_CREDENTIALS = Operation(
    "getCredentials",
    "manage_providers",
    "GET",
    "/providers/{provider}/credentials",
    "What is shown of your own key",
    Access.API_KEY,
    "Keys",
)
DELETE_CREDENTIALS = Operation(
    "deleteCredentials",
    "manage_providers",
    "DELETE",
    "/providers/{provider}/credentials",
    "Take your own key away",
    Access.API_KEY,
    "Keys",
)
TEST_PROVIDER = Operation(
    "testProvider",
    "manage_providers",
    "POST",
    "/providers/{provider}/test",
    "Whether a key is good; it costs nothing",
    Access.API_KEY,
    "Keys",
)
RECEIVE_WEBHOOK = Operation(
    "receiveWebhook",
    "process_webhook",
    "POST",
    "/webhook/{provider}",
    "What providers call when a job moves",
    Access.CALLBACK,
    "Providers",
)
RECEIVE_UPLOAD = Operation(
    "receiveUpload",
    "receive_upload",
    "PUT",
    "/upload/{provider}/{filename}",
    "Where servers of one's own put what they made",
    Access.CALLBACK,
    "Providers",
)
GET_HEALTH = Operation(
    "getHealth", "describe_api", "GET", "/health", "Whether the gateway works", Access.PUBLIC, "Service"
)
GET_HEALTH_DETAILS = Operation(
    "getHealthDetails",
    "describe_api",
    "GET",
    "/health/details",
    "How each part of the gateway does",
    Access.ADMIN,
    "Operations",
)
GET_SYSTEM_ANALYTICS = Operation(
    "getSystemAnalytics",
    "read_analytics",
    "GET",
    "/analytics/system",
    "How the gateway does now",
    Access.ADMIN,
    "Operations",
)
GET_PROCESSING_ANALYTICS = Operation(
    "getProcessingAnalytics",
    "read_analytics",
    "GET",
    "/analytics/processing",
    "How long the work took, by model and step",
    Access.ADMIN,
    "Operations",
)
GET_STORAGE_ANALYTICS = Operation(
    "getStorageAnalytics",
    "read_analytics",
    "GET",
    "/analytics/storage",
    "What was moved to and from the bucket",
    Access.ADMIN,
    "Operations",
)
GET_DAILY_ANALYTICS = Operation(
    "getDailyAnalytics",
    "read_analytics",
    "GET",
    "/analytics/daily",
    "What became of the jobs of each day",
    Access.ADMIN,
    "Operations",
)
GET_OPENAPI = Operation(
    "getOpenapi", "describe_api", "GET", "/openapi.json", "This description", Access.PUBLIC, "Service"
)
GET_DOCS = Operation(
    "getDocs", "describe_api", "GET", "/docs", "This description, to read", Access.PUBLIC, "Service"
)

OPERATIONS = (
    GENERATE,
    GET_STATUS,
    LIST_JOBS,
    GET_JOB,
    GET_TIMELINE,
    GET_ELEMENTS,
    GET_STORAGE,
    GET_MEDIA,
    CANCEL_JOB,
    LIST_MODELS,
    LIST_PROVIDERS,
    GET_CAPABILITIES,
    FIND_JOB,
    PUT_CREDENTIALS,
    GET_CREDENTIALS,
    DELETE_CREDENTIALS,
    TEST_PROVIDER,
    RECEIVE_WEBHOOK,
    RECEIVE_UPLOAD,
    GET_SYSTEM_ANALYTICS,
    GET_PROCESSING_ANALYTICS,
    GET_STORAGE_ANALYTICS,
    GET_DAILY_ANALYTICS,
    GET_HEALTH,
    GET_HEALTH_DETAILS,
    GET_OPENAPI,
    GET_DOCS,
)


def operations_at(path: str) -> list[Operation]:
    """The operations that a path has."""
    return [operation for operation in OPERATIONS if operation.parameters_in(path) is not None]


def operation_at(method: str, path: str) -> Operation | None:
    """The operation of this method and path; None if there is none."""
    return next((each for each in operations_at(path) if each.method == method), None)
