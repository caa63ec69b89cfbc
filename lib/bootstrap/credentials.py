"""Users' own keys at providers: the master key, what seals with it, and what puts, opens and tests keys."""
# ruff: noqa: PLC0415 - see the package

import os
from functools import cache
from typing import TYPE_CHECKING

from lib import bootstrap

if TYPE_CHECKING:
    from lib.ports.credentials import Credentials
    from lib.ports.master_key import CredentialCipher, MasterKey
    from lib.services.check_credential import CheckCredential
    from lib.services.credential_vault import CredentialVault
    from lib.services.note_credential_failure import NoteCredentialFailure
    from lib.services.open_credential import CredentialOpener

LOCAL_KEY, RETIRED_KEYS = "ENCRYPTION_KEY", "ENCRYPTION_KEYS_RETIRED"
"""Given by the environment alone: whoever has no KMS has no Secrets Manager either."""


@cache
def master_keys() -> "MasterKey":
    """What seals: ENCRYPTION_KEY if it is set, else CREDENTIAL_KMS_KEY_ID, else nothing; the former ones open too.

    Raises EncryptionNotConfiguredError for a local key that is none, or weak.
    """
    from lib import work_settings as w
    from lib.aws.kms_key import KmsMasterKey
    from lib.stores.encryption.local_key import LocalMasterKey, read_retired
    from lib.stores.encryption.master_keys import MasterKeys, NoMasterKey

    local = os.environ.get(LOCAL_KEY, "").strip()
    kms = bootstrap.settings(w.CredentialSettings).credential_kms_key_id
    found: list[MasterKey] = [LocalMasterKey.from_text(local)] if local else []
    if kms:
        found.append(KmsMasterKey(kms))
    if not found:
        return NoMasterKey()
    return MasterKeys(found[0], (*found[1:], *read_retired(os.environ.get(RETIRED_KEYS, ""))))


@cache
def credential_cipher() -> "CredentialCipher":
    """Seals and opens."""
    from lib.stores.encryption.envelope_cipher import EnvelopeCipher

    return EnvelopeCipher(bootstrap.master_keys())


@cache
def stored_credentials() -> "Credentials":
    """The record of users' keys."""
    from lib.stores.postgres.repositories.credentials import PostgresCredentials

    return PostgresCredentials(bootstrap.record_connection())


@cache
def credential_opener() -> "CredentialOpener":
    """Opens the key that a job is pinned to."""
    from lib.services.open_credential import CredentialOpener

    return CredentialOpener(
        platform=bootstrap.platform_credential,
        traits=lambda name: bootstrap.adapter(name).traits,
        stored=bootstrap.stored_credentials(),
        cipher=bootstrap.credential_cipher(),
    )


@cache
def credential_vault() -> "CredentialVault":
    """Puts users' keys, shows them in part, takes them away."""
    from lib.services.credential_vault import CredentialVault

    return CredentialVault(
        traits=lambda name: bootstrap.adapter(name).traits,
        stored=bootstrap.stored_credentials(),
        cipher=bootstrap.credential_cipher,
        log=bootstrap.security_log(),
        clock=bootstrap.clock,
    )


@cache
def check_credential() -> "CheckCredential":
    """Asks a provider whether a key is good."""
    from lib.services.check_credential import CheckCredential

    return CheckCredential(
        vault=bootstrap.credential_vault(),
        stored=bootstrap.stored_credentials(),
        open=bootstrap.credential,
        provider=bootstrap.provider,
        clock=bootstrap.clock,
    )


@cache
def note_credential_failure() -> "NoteCredentialFailure":
    """Marks a key that its provider refused in use."""
    from lib.services.note_credential_failure import NoteCredentialFailure

    return NoteCredentialFailure(
        stored=bootstrap.stored_credentials(),
        journal=bootstrap.journal(),
        log=bootstrap.security_log(),
        clock=bootstrap.clock,
    )
