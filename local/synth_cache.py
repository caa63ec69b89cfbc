"""Synthesizes the CDK app for the stage `local`, only when something it is made of has changed."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from infra.node import use_pinned_node
from local.backing.moto import REPOSITORY

_INPUTS = ("app.py", "cdk.json", "infra", "config", "database/migrations")
_SKIPPED = frozenset({"__pycache__"})


class SynthesisError(Exception):
    """`python app.py` failed; the message is the end of what it said."""


def synthesized(cache: Path = REPOSITORY / ".local" / "synth", root: Path = REPOSITORY) -> Path:
    """The cloud assembly of the app as it stands, from the cache if nothing changed.

    Several processes may ask at once; one of them synthesizes. SynthesisError if it cannot be done.
    """
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assembly = cache / inputs_hash(root)
        if not (assembly / "manifest.json").exists():
            _synthesize(root, assembly)
            _forget_others(cache, assembly)
        return assembly


def inputs_hash(root: Path = REPOSITORY) -> str:
    """A hash over everything that the templates depend on: files by name and content, and pinned packages."""
    digest = hashlib.sha256(sys.version.encode())
    for path in _files(root):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(root).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()[:24]


def _files(root: Path) -> Iterator[Path]:
    yield from sorted(root.glob("requirements*.txt"))
    for name in _INPUTS:
        path = root / name
        if path.is_dir():
            yield from sorted(
                item for item in path.rglob("*") if item.is_file() and not _SKIPPED & {*item.parts}
            )
        elif path.exists():
            yield path


def _synthesize(root: Path, assembly: Path) -> None:
    part = assembly.with_suffix(".part")
    shutil.rmtree(part, ignore_errors=True)
    environment = dict(os.environ)
    use_pinned_node(environment)
    environment |= {"VSL_STAGE": "local", "VSL_BUNDLE": "0", "CDK_OUTDIR": str(part)}
    done = subprocess.run(
        [sys.executable, "app.py"], cwd=root, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise SynthesisError("python app.py failed:\n" + "\n".join(said[-20:]))
    part.rename(assembly)


def _forget_others(cache: Path, kept: Path) -> None:
    for entry in cache.iterdir():
        if entry.is_dir() and entry != kept:
            shutil.rmtree(entry, ignore_errors=True)
