"""A service account's key file, made once per run: its private key is nobody's."""

import json
from functools import cache

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

EMAIL = "gateway@example-project.iam.gserviceaccount.com"
PROJECT = "example-project"


@cache
def private_key() -> rsa.RSAPrivateKey:
    """The account's private key."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def public_pem() -> str:
    """The public half, for whoever verifies."""
    return (
        private_key()
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode()
    )


def key_file(**changes: object) -> str:
    """The JSON as Google lets it be downloaded; `changes` replace members, None leaves one out."""
    pem = private_key().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    document = {
        "type": "service_account",
        "project_id": PROJECT,
        "private_key_id": "0123456789abcdef",
        "private_key": pem.decode(),
        "client_email": EMAIL,
        "client_id": "100000000000000000000",
        "auth_uri": "https://accounts.google.com/o/oauth2/auth",
        "token_uri": "https://elsewhere.example/token",
        "universe_domain": "googleapis.com",
    } | changes
    return json.dumps({name: value for name, value in document.items() if value is not None}, indent=2)
