"""Takes secrets out of text that is about to be logged, whatever it came from."""

import re

_SECRETS = re.compile(
    r"(?P<kept>token=|Bearer\s+)[^\s&\"'\\]+"
    r"|(?P<address>://[^\s:/@\"']*:)[^\s/\"']+(?=@)"
    r"|\b(?:vsl_|r8_|whsec_)[A-Za-z0-9+/=_-]{8,}"
)


def redact(line: str) -> str:
    """The text with tokens, keys and passwords in addresses replaced by `***`."""
    return _SECRETS.sub(lambda found: f"{found['kept'] or found['address'] or ''}***", line)
