"""`python -m infra.upload_address cog`: the address at which a Cog server of one's own puts its files (docs/cog.md).

It holds a token: give it to the server, and to nobody else.
"""

import argparse
import sys
from collections.abc import Sequence
from typing import Any

from botocore.exceptions import ClientError

from infra import names, settings
from infra.env_file import load_into_environment
from infra.session import NotReadyError, open_session
from infra.settings import InfraSettings
from lib.aws.secrets import plain_value
from lib.domain.direct_upload import upload_url
from lib.domain.errors import ConfigurationError

PROVIDERS = ("cog",)
OUTPUT = "ApiEndpoint"


def address(session: Any, chosen: InfraSettings, provider: str) -> str:
    """The upload address of a provider at the deployed stage. Raises NotReadyError where it is not deployed."""
    stack = f"Vsl-{chosen.stage}-app"
    secret = chosen.secret_name(names.TOKEN_KEY_SECRET)
    try:
        found = session.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
        outputs = {item["OutputKey"]: item["OutputValue"] for item in found.get("Outputs", ())}
        held = session.client("secretsmanager").get_secret_value(SecretId=secret)["SecretString"]
    except ClientError as error:
        raise NotReadyError(f"Stage {chosen.stage} cannot be asked, is it deployed here? {error}") from error
    if OUTPUT not in outputs:
        raise NotReadyError(f"The stack {stack} has no output {OUTPUT}.")
    return upload_url(outputs[OUTPUT], plain_value(secret, held), provider)


def main(arguments: Sequence[str]) -> int:
    """Print the address. Returns 1, with the reason, if it is not known."""
    parser = argparse.ArgumentParser(prog="python -m infra.upload_address", description=__doc__)
    parser.add_argument("provider", choices=PROVIDERS)
    provider = parser.parse_args(arguments).provider
    try:
        values = load_into_environment()
        session, _account = open_session(values)
        print(address(session, settings.load(environment=values), provider))
    except (NotReadyError, ConfigurationError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
