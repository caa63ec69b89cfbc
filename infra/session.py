"""A session with AWS that has been answered: what every command that reaches AWS begins with."""

from collections.abc import Mapping

import boto3
from botocore.exceptions import BotoCoreError, ClientError


class NotReadyError(RuntimeError):
    """Something that the command needs is missing; the message lists everything at once."""


def open_session(values: Mapping[str, str]) -> tuple[boto3.Session, str]:
    """A session that AWS has answered, and its account; raises NotReadyError."""
    try:
        session = boto3.Session(region_name=values.get("AWS_REGION") or None)
        if session.region_name is None:
            raise NotReadyError("No AWS region: set AWS_REGION in .env, or choose a profile that has one.")
        if session.get_credentials() is None:
            raise NotReadyError("No AWS credentials: set AWS_PROFILE in .env, or log in (`aws sso login`).")
        return session, str(session.client("sts").get_caller_identity()["Account"])
    except (ClientError, BotoCoreError) as error:
        raise NotReadyError(f"AWS does not accept these credentials: {error}") from error
