"""Outputs that a provider puts into our bucket itself: the form that lets it, and knowing its objects again.

A provider that took the form names its outputs by their addresses in our bucket. They are ours to read if their keys
lie below the prefix of that very attempt; any other address stays what it is, a URL, and is fetched as anybody would
fetch it: of our bucket that gives nothing, for it is private.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from urllib.parse import unquote, urlsplit

from lib.domain.direct_upload import UPLOADS_PREFIX
from lib.domain.provider import OutputKind, ProviderOutput, ProviderUpdate, UploadPolicy

SignPolicy = Callable[[str], UploadPolicy]
"""Makes the form that lets its holder put objects below a prefix of our bucket."""

_LEAF = re.compile(r"[^/\\\x00-\x1f\x7f]{1,512}")


@dataclass(frozen=True)
class DirectUploads:
    """`bases` are the addresses under which our bucket's objects are known, each ending with a slash."""

    sign: SignPolicy
    bases: tuple[str, ...]

    def policy(self, job_id: str, attempt: int) -> UploadPolicy:
        """Let a provider put the outputs of this attempt below the attempt's own prefix."""
        return self.sign(attempt_prefix(job_id, attempt))

    def recognized(self, update: ProviderUpdate, job_id: str, attempt: int) -> ProviderUpdate:
        """The update with each output that lies below the attempt's prefix as an object of our bucket."""
        prefix = attempt_prefix(job_id, attempt)
        outputs = tuple(self._recognized(output, prefix) for output in update.outputs)
        return update if outputs == update.outputs else replace(update, outputs=outputs)

    def _recognized(self, output: ProviderOutput, prefix: str) -> ProviderOutput:
        if output.kind is not OutputKind.URL:
            return output
        key = self._key_in(output.value)
        if key is None or not key.startswith(prefix) or not _LEAF.fullmatch(key.removeprefix(prefix)):
            return output
        return ProviderOutput(OutputKind.OBJECT, key)

    def _key_in(self, url: str) -> str | None:
        """The key of the object that an address in our bucket names, decoded once; None for any other address."""
        try:
            parts = urlsplit(url)
        except ValueError:
            return None
        if parts.query or parts.fragment or parts.username is not None:
            return None
        plain = f"{parts.scheme}://{parts.netloc.lower()}{parts.path}"
        for base in self.bases:
            if plain.startswith(base):
                return unquote(plain.removeprefix(base))
        return None


def attempt_prefix(job_id: str, attempt: int) -> str:
    """What the keys of one attempt's outputs begin with."""
    return f"{UPLOADS_PREFIX}{job_id}/{attempt}/"
