"""Envelope encryption: each credential under a data key of its own, each data key under the master key."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

from lib.domain.envelope import CredentialContext, Sealed
from lib.ports.master_key import MasterKey
from lib.stores.encryption.aead import NONCE_BYTES, decrypt, encrypt, random_bytes

LIFE_SECONDS = 180.0
MOST_HELD = 256


class EnvelopeCipher:
    """The `CredentialCipher` over a master key.

    Opened data keys are held for `LIFE_SECONDS`, `MOST_HELD` of them at most, each for exactly the row that it came
    from: a row of which a bit was changed finds none. Nothing else is held, and nothing of it is written anywhere.
    """

    def __init__(
        self,
        master: MasterKey,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        life_seconds: float = LIFE_SECONDS,
        most: int = MOST_HELD,
    ) -> None:
        self._master = master
        self._monotonic = monotonic
        self._life_seconds = life_seconds
        self._most = most
        self._held: OrderedDict[tuple[CredentialContext, str, bytes], tuple[bytes, float]] = OrderedDict()
        self._lock = threading.Lock()

    def seal(self, plain: bytes, context: CredentialContext) -> Sealed:
        """See the port."""
        key = self._master.generate_data_key(context)
        nonce = random_bytes(NONCE_BYTES)
        ciphertext = encrypt(key.plain, plain, context.as_bytes(), nonce)
        return Sealed(context, ciphertext, nonce, key.wrapped, key.key_id)

    def open(self, sealed: Sealed) -> bytes:
        """See the port."""
        return decrypt(self._data_key(sealed), sealed.ciphertext, sealed.context.as_bytes(), sealed.nonce)

    def _data_key(self, sealed: Sealed) -> bytes:
        name = (sealed.context, sealed.key_id, sealed.wrapped_key)
        with self._lock:
            self._forget_old()
            if name in self._held:
                self._held.move_to_end(name)
                return self._held[name][0]
        key = self._master.unwrap(sealed.wrapped_key, sealed.key_id, sealed.context)
        with self._lock:
            self._held[name] = (key, self._monotonic() + self._life_seconds)
            while len(self._held) > self._most:
                self._held.popitem(last=False)
        return key

    def _forget_old(self) -> None:
        now = self._monotonic()
        for name in [name for name, (_, until) in self._held.items() if until <= now]:
            del self._held[name]
