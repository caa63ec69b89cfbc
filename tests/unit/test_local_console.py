"""What the local cloud says in a terminal."""

from pathlib import Path

from local.console import Console


def test_a_path_writes_neither_lines_of_its_own_nor_into_the_terminal(tmp_path: Path) -> None:
    said: list[str] = []
    Console(tmp_path, said.append).request("GET", "/x\x1b[31m\nFAKE \u202e/ü", 404, 1.2)
    assert [line.partition("  ")[2] for line in said] == [r"GET  /x\x1b[31m\nFAKE \u202e/ü  404  1 ms"]
