"""Splits a file of SQL into its statements, for those that Postgres refuses inside a transaction."""

import re

_TOKEN = re.compile(
    r"""
      --[^\n]*                                  # a comment to the end of the line
    | /\*.*?\*/                                 # a comment
    | \b[eE]'(?:[^'\\]|\\.|'')*'                # a string with escapes
    | '(?:[^']|'')*'                            # a string
    | "(?:[^"]|"")*"                            # a quoted name
    | \$(?P<tag>[A-Za-z_]*)\$.*?\$(?P=tag)\$    # a dollar-quoted string
    | ;
    """,
    re.VERBOSE | re.DOTALL,
)
_COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
_CONCURRENT_INDEX = re.compile(
    r"""\s*create\s+(?:unique\s+)?index\s+concurrently\s+(?:if\s+not\s+exists\s+)?
        (?!on\s)(?:"(?P<quoted>[^"]+)"|(?P<plain>\w+))\s+on\s""",
    re.VERBOSE | re.IGNORECASE,
)


def split_statements(text: str) -> list[str]:
    """The statements without their semicolons, in order; comments alone are none.

    Knows strings, quoted names, dollar quotes and comments (not nested ones), but no `begin atomic` bodies.
    """
    pieces, start = [], 0
    for token in _TOKEN.finditer(text):
        if token.group() == ";":
            pieces.append(text[start : token.start()])
            start = token.end()
    pieces.append(text[start:])
    return [piece.strip() for piece in pieces if _COMMENT.sub("", piece).strip()]


def concurrent_index(statement: str) -> str | None:
    """The name of the index that the statement builds concurrently; None for any other statement."""
    found = _CONCURRENT_INDEX.match(_COMMENT.sub("", statement))
    if found is None:
        return None
    return found["quoted"] or found["plain"].lower()


def is_concurrent(statement: str) -> bool:
    """Whether Postgres does it without keeping writers out, and waits for older transactions instead."""
    return re.search(r"\bconcurrently\b", _COMMENT.sub("", statement), re.IGNORECASE) is not None
