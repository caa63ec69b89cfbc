"""Dynamic references in templates: `{{resolve:secretsmanager:...}}`.

Reference: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references-secretsmanager.html
"""

import json
import re

from botocore.exceptions import ClientError

from local.aws import Aws
from local.template import TemplateError

_REFERENCE = re.compile(r"\{\{resolve:([^}]*)\}\}")
_SECRET = re.compile(
    r"secretsmanager:(?P<id>arn:(?:[^:]*:){5}[^:]*|[^:]+)(?::SecretString(?::(?P<key>[^:]*))?.*)?"
)


def resolve_secrets(text: str, aws: Aws) -> str:
    """`text` with each reference replaced by its secret's value, or that value's JSON key.

    TemplateError if the secret or the key does not exist, or the reference is of another kind.
    """
    return _REFERENCE.sub(lambda match: _value(match.group(1), aws), text)


def _value(reference: str, aws: Aws) -> str:
    match = _SECRET.fullmatch(reference)
    if match is None:
        raise TemplateError(f"the dynamic reference {{{{resolve:{reference}}}}} is not understood")
    client = aws.client("secretsmanager")
    try:
        value = str(client.get_secret_value(SecretId=match["id"])["SecretString"])
        return str(json.loads(value)[match["key"]]) if match["key"] else value
    except (ClientError, KeyError, json.JSONDecodeError) as error:
        raise TemplateError(f"the dynamic reference to {reference} cannot be resolved: {error}") from error
    finally:
        client.close()
