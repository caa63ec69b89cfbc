"""Whose AWS account we act in: region, endpoints and credentials of this process."""

import os
from collections.abc import Mapping
from urllib.parse import quote

from lib.aws.sigv4 import AwsCredentials
from lib.domain.errors import ConfigurationError


def region(environ: Mapping[str, str] = os.environ) -> str:
    """The region of this function. Raises ConfigurationError without one."""
    found = environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION")
    if not found:
        raise ConfigurationError("AWS_REGION must be set, to a region such as us-east-1.")
    return found


def endpoint(service: str, environ: Mapping[str, str] = os.environ) -> str:
    """The address of a regional service, or the one that AWS_ENDPOINT_URL gives for all of them."""
    given = environ.get("AWS_ENDPOINT_URL")
    return given.rstrip("/") if given else f"https://{service}.{region(environ)}.{_domain(environ)}"


def object_url(bucket: str, key: str, environ: Mapping[str, str] = os.environ) -> str:
    """The unsigned address of an object: by host name in AWS, by path at an endpoint of one's own."""
    path = quote(key, safe="/-_.~")
    given = environ.get("AWS_ENDPOINT_URL_S3") or environ.get("AWS_ENDPOINT_URL")
    if given:
        return f"{given.rstrip('/')}/{bucket}/{path}"
    return f"https://{bucket}.s3.{region(environ)}.{_domain(environ)}/{path}"


def bucket_urls(bucket: str, environ: Mapping[str, str] = os.environ) -> tuple[str, ...]:
    """The addresses that objects of a bucket may be named by, each ending with a slash: ours first."""
    first = object_url(bucket, "", environ)
    if not first.startswith(f"https://{bucket}."):
        return (first,)
    domain = _domain(environ)
    return (first, f"https://{bucket}.s3.{domain}/", f"https://s3.{region(environ)}.{domain}/{bucket}/")


def credentials(environ: Mapping[str, str] = os.environ) -> AwsCredentials:
    """The credentials of the environment, as in Lambda; else what boto3 finds on this machine.

    Raises ConfigurationError where there are none.
    """
    access_key, secret_key = environ.get("AWS_ACCESS_KEY_ID"), environ.get("AWS_SECRET_ACCESS_KEY")
    if access_key and secret_key:
        return AwsCredentials(access_key, secret_key, environ.get("AWS_SESSION_TOKEN") or None)
    import boto3  # noqa: PLC0415 - Lambda gives credentials by environment, and need not pay for the search

    found = boto3.Session().get_credentials()
    if found is None:
        raise ConfigurationError("There are no AWS credentials: set AWS_ACCESS_KEY_ID and its secret.")
    frozen = found.get_frozen_credentials()
    return AwsCredentials(frozen.access_key, frozen.secret_key, frozen.token)


def _domain(environ: Mapping[str, str]) -> str:
    return "amazonaws.com.cn" if region(environ).startswith("cn-") else "amazonaws.com"
