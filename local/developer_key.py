"""Makes the API key that a fresh local cloud hands to its developer."""

import os
import subprocess
import sys

from local.aws import CREDENTIALS, REGION
from local.backing.moto import REPOSITORY
from local.settings import STAGE

USER_ID = "local-developer"


class DeveloperKeyError(Exception):
    """`python -m lib.keys create` failed; the message is what it said."""


def create_developer_key(*, postgres_url: str, redis_url: str, aws_endpoint_url: str) -> str:
    """A new API key of the user `local-developer`, an admin; `postgres_url` is the migrator's."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
        **CREDENTIALS,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ENDPOINT_URL": aws_endpoint_url,
        "STAGE": STAGE,
        "DATABASE_URL": postgres_url,
        "REDIS_URL": redis_url,
    }
    done = subprocess.run(
        [sys.executable, "-m", "lib.keys", "create", "--user", USER_ID, "--admin"],
        cwd=REPOSITORY,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    lines = done.stdout.strip().splitlines()
    if done.returncode != 0 or not lines:
        raise DeveloperKeyError(f"no API key could be made:\n{(done.stderr or done.stdout).strip()}")
    return lines[-1].strip()
