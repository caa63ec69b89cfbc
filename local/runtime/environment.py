"""The environment variables of a function: the template's, and what Lambda itself sets. Nothing of the caller's."""

import sys
from pathlib import Path

from local.aws import CREDENTIALS, REGION
from local.deployment import Function


def function_environment(
    function: Function, *, task_root: Path, runtime_api: str, aws_endpoint_url: str
) -> dict[str, str]:
    """The complete environment of one worker process.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html (defined runtime variables).
    AWS_ENDPOINT_URL is ours; the developer's own AWS files and metadata service are shut out.
    """
    return {
        "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "PYTHONIOENCODING": "utf-8",
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{function.runtime}",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ENDPOINT_URL": aws_endpoint_url,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        **CREDENTIALS,
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_mb),
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function.name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": "local",
        "AWS_LAMBDA_RUNTIME_API": runtime_api,
        "LAMBDA_TASK_ROOT": str(task_root),
        "LAMBDA_RUNTIME_DIR": str(task_root),
        "_HANDLER": function.handler,
        "_X_AMZN_TRACE_ID": "Root=1-00000000-000000000000000000000000;Sampled=0",
        **function.environment,
    }
