"""Secrets Manager secrets, given or generated."""

import json
import secrets
import string

from local.resources.kind import Json, Kind, Resource, World, kind
from local.template import ResourceState


def _secret(resource: Resource, world: World) -> ResourceState:
    given = resource.properties
    if "GenerateSecretString" in given:
        value = world.generated.setdefault(resource.where, generate(given["GenerateSecretString"]))
    else:
        value = str(given.get("SecretString", ""))
    client = world.aws.client("secretsmanager")
    answer = client.create_secret(Name=resource.physical_name("Name"), SecretString=value)
    client.close()
    return ResourceState(ref=answer["ARN"], attributes={"Id": answer["ARN"]})


def generate(rules: Json) -> str:
    """A random secret by the rules of GenerateSecretString; JSON if they have a template and a key."""
    alphabet = string.ascii_letters + string.digits + string.punctuation
    excluded = set(rules.get("ExcludeCharacters", ""))
    for rule, characters in (
        ("ExcludePunctuation", string.punctuation),
        ("ExcludeLowercase", string.ascii_lowercase),
        ("ExcludeUppercase", string.ascii_uppercase),
        ("ExcludeNumbers", string.digits),
    ):
        if rules.get(rule):
            excluded |= set(characters)
    allowed = [character for character in alphabet if character not in excluded]
    value = "".join(secrets.choice(allowed) for _ in range(int(rules.get("PasswordLength", 32))))
    if "GenerateStringKey" not in rules:
        return value
    return json.dumps({**json.loads(rules["SecretStringTemplate"]), rules["GenerateStringKey"]: value})


KINDS: dict[str, Kind] = {
    "AWS::SecretsManager::Secret": kind(
        _secret,
        used="Name SecretString GenerateSecretString",
        harmless="Description KmsKeyId Tags ReplicaRegions",
    )
}
