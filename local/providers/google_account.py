"""The service account of the simulated Google: a key that is the same on each machine and opens nothing anywhere.

The local cloud writes the key file in one process and the simulator checks signatures in another, so the key is
worked out from a seed rather than stored: no file with a private key lies about.
"""

import json
import random
from functools import cache

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

EMAIL = "simulator@local-simulator.iam.gserviceaccount.com"
PROJECT = "local-simulator"
KEY_ID = "5111a70251117ad0"
_SEED = "the simulated Google's service account"
_EXPONENT = 65537
_SMALL_PRIMES = [n for n in range(3, 2000) if all(n % d for d in range(2, int(n**0.5) + 1))]


def key_file() -> str:
    """The account's key, in the form in which Google lets a key be downloaded."""
    pem = _private_key().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return json.dumps(
        {
            "type": "service_account",
            "project_id": PROJECT,
            "private_key_id": KEY_ID,
            "private_key": pem.decode(),
            "client_email": EMAIL,
            "token_uri": "https://oauth2.googleapis.com/token",
        }
    )


def public_key() -> rsa.RSAPublicKey:
    """What the simulator checks signatures with."""
    return _private_key().public_key()


@cache
def _private_key() -> rsa.RSAPrivateKey:
    source = random.Random(_SEED)  # noqa: S311 - it is to be the same each time, and guards nothing
    p, q = _prime(source), _prime(source)
    private = pow(_EXPONENT, -1, (p - 1) * (q - 1))
    return rsa.RSAPrivateNumbers(
        p=p,
        q=q,
        d=private,
        dmp1=private % (p - 1),
        dmq1=private % (q - 1),
        iqmp=pow(q, -1, p),
        public_numbers=rsa.RSAPublicNumbers(_EXPONENT, p * q),
    ).private_key()


def _prime(source: random.Random) -> int:
    """The next probable prime of 1024 bits, both of its highest bits set."""
    while True:
        candidate = source.getrandbits(1024) | (3 << 1022) | 1
        if any(candidate % small == 0 for small in _SMALL_PRIMES) or candidate % _EXPONENT == 1:
            continue
        if all(pow(base, candidate - 1, candidate) == 1 for base in (2, 3, 5)):
            return candidate
