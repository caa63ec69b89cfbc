"""All secrets below a name at once, by boto3: twenty in each call."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, NoRegionError

from lib.domain.errors import ConfigurationError, UnavailableError

PAGE = 20  # the most that AWS gives
_CONFIG = Config(connect_timeout=2, read_timeout=5, retries={"total_max_attempts": 3, "mode": "standard"})


def fetch_all(prefix: str) -> list[tuple[str, str]]:
    """Name and text of each secret whose name starts with `prefix`, by name; binary ones are passed over.

    Raises:
        ConfigurationError: one of them may not be read, or they may not be listed.
        UnavailableError: Secrets Manager does not answer.
    """
    try:
        with closing(boto3.Session().client("secretsmanager", config=_CONFIG)) as client:
            return sorted(_pages(client, prefix))
    except ClientError as error:
        status = int(error.response["ResponseMetadata"]["HTTPStatusCode"])
        code = error.response["Error"]["Code"]
        if status >= 500 or "Throttling" in code:
            raise UnavailableError(
                f"Secrets Manager does not answer ({code})", retry_after_seconds=5
            ) from error
        msg = f"The secrets below {prefix} cannot be read ({code}): let this role list and batch-read them."
        raise ConfigurationError(msg) from error
    except (NoCredentialsError, NoRegionError) as error:
        raise ConfigurationError(f"AWS cannot be asked for secrets: {error}.") from error
    except BotoCoreError as error:
        kind = type(error).__name__
        raise UnavailableError(f"Secrets Manager does not answer ({kind})", retry_after_seconds=5) from error


def _pages(client: Any, prefix: str) -> Iterator[tuple[str, str]]:
    asked: dict[str, Any] = {"Filters": [{"Key": "name", "Values": [prefix]}], "MaxResults": PAGE}
    while True:
        page = client.batch_get_secret_value(**asked)
        for refused in page.get("Errors", ()):
            name, code = refused.get("SecretId"), refused.get("ErrorCode")
            raise ConfigurationError(f"The secret {name} cannot be read ({code}): let this role read it.")
        for secret in page["SecretValues"]:
            if secret["Name"].startswith(prefix) and "SecretString" in secret:
                yield secret["Name"], secret["SecretString"]
        if not page.get("NextToken"):
            return
        asked["NextToken"] = page["NextToken"]
