"""The local account: its id, region, credentials, and boto3 clients for its endpoint."""

from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config

ACCOUNT_ID = "123456789012"
REGION = "us-east-1"
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "local",
    "AWS_SECRET_ACCESS_KEY": "local",
    "AWS_SESSION_TOKEN": "local",
}
PSEUDO_PARAMETERS = {
    "AWS::AccountId": ACCOUNT_ID,
    "AWS::Region": REGION,
    "AWS::Partition": "aws",
    "AWS::URLSuffix": "amazonaws.com",
    "AWS::StackId": f"arn:aws:cloudformation:{REGION}:{ACCOUNT_ID}:stack/local/00000000",
    "AWS::NotificationARNs": "",
}


def arn(service: str, resource: str) -> str:
    """`arn:aws:{service}:{region}:{account}:{resource}`."""
    return f"arn:aws:{service}:{REGION}:{ACCOUNT_ID}:{resource}"


@dataclass(frozen=True, slots=True)
class Aws:
    """Clients for the services at `endpoint_url`."""

    endpoint_url: str

    def client(self, service: str, *, read_timeout: float = 10, retries: int = 2) -> Any:
        """A new boto3 client; the caller closes it."""
        return boto3.client(
            service,
            endpoint_url=self.endpoint_url,
            region_name=REGION,
            aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
            config=Config(
                connect_timeout=2,
                read_timeout=read_timeout,
                retries={"max_attempts": retries},
                s3={"addressing_style": "path"},
            ),
        )
