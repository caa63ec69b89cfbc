"""Builds the code bundles of the functions, without Docker: `python -m infra.bundle`.

Wheels for Lambda's Python and processor are fetched by pip on any machine; sources are copied beside them. A
bundle depends on its inputs alone (no byte code, no scripts, fixed times and modes), so that the hash by which
a deployment recognizes it changes only when they do.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from infra.bundle_paths import BUILD, CONSTRAINTS, LAMBDA_BUNDLE, MEDIA_BUNDLE, ROOT
from infra.bundle_target import PLATFORMS, PYTHON_VERSION
from lib.stores.checked_catalogue import mark_checked
from lib.stores.models_source import read_models_config

SOURCES = ("handlers", "lib", "config", "database")
AWS_SERVICES = frozenset({"dynamodb", "s3", "sqs", "secretsmanager", "sts"})
_EPOCH = 315532800  # 1980-01-01, the oldest time that a zip file can hold
_RECIPE = "2"  # part of the digest: raise it when this module builds something else from the same inputs
_IGNORED = shutil.ignore_patterns("__pycache__", ".DS_Store")


class BundleError(RuntimeError):
    """pip could not provide the wheels; the message holds what it said."""


@dataclass(frozen=True)
class Bundle:
    """A directory to build, and the requirement files whose wheels go into it."""

    directory: Path
    requirements: tuple[str, ...]

    @property
    def stamp(self) -> Path:
        """The file that remembers the digest of the inputs; it stands beside the bundle, not in it."""
        return self.directory.with_suffix(".digest")


BUNDLES = (
    Bundle(LAMBDA_BUNDLE, ("requirements.txt",)),
    Bundle(MEDIA_BUNDLE, ("requirements.txt", "requirements-media.txt")),
)


def build(bundle: Bundle) -> bool:
    """Make `bundle.directory` match its inputs; returns whether there was anything to do.

    Raises BundleError where pip fails. A build that breaks off leaves no stamp, so the next one starts over.
    """
    with _one_at_a_time():
        digest = _digest(bundle)
        if bundle.directory.is_dir() and bundle.stamp.is_file() and bundle.stamp.read_text() == digest:
            return False
        bundle.stamp.unlink(missing_ok=True)
        _assemble(bundle)
        bundle.stamp.write_text(digest)
        return True


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Other processes that build wait here: `make synth` beside `make test`."""
    BUILD.mkdir(exist_ok=True)
    with (BUILD / "bundle.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _assemble(bundle: Bundle) -> None:
    shutil.rmtree(bundle.directory, ignore_errors=True)
    shutil.copytree(_wheels(bundle), bundle.directory, symlinks=True)
    for source in SOURCES:
        shutil.copytree(ROOT / source, bundle.directory / source, ignore=_IGNORED)
    mark_checked(read_models_config("config/models", root=bundle.directory), bundle.directory)
    _normalize(bundle.directory)


def _wheels(bundle: Bundle) -> Path:
    """A directory with the unpacked and pruned wheels, kept until the requirements change."""
    kept = BUILD / f"wheels-{_requirements_digest(bundle)[:16]}"
    if kept.is_dir():
        return kept
    unfinished = kept.with_suffix(".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    result = subprocess.run(
        pip_command(bundle.requirements, unfinished), cwd=ROOT, capture_output=True, text=True, check=False
    )
    if result.returncode != 0:
        raise BundleError(
            f"pip could not fetch the wheels of {bundle.requirements}:\n{result.stderr.strip()}"
        )
    _prune(unfinished)
    unfinished.rename(kept)
    return kept


def pip_command(requirements: Iterable[str], target: Path) -> list[str]:
    """The pip call that unpacks wheels for Lambda, whatever this machine is, into `target`."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    command += ["--no-compile", "--only-binary=:all:", "--implementation", "cp"]
    command += ["--python-version", ".".join(map(str, PYTHON_VERSION)), "--target", str(target)]
    command += ["--constraint", str(CONSTRAINTS)]
    for platform in PLATFORMS:
        command += ["--platform", platform]
    for name in requirements:
        command += ["--requirement", name]
    return command


def _prune(directory: Path) -> None:
    """Remove scripts, which name this machine's Python, and the descriptions of AWS services we do not call."""
    shutil.rmtree(directory / "bin", ignore_errors=True)
    for package in ("botocore", "boto3"):
        for entry in (directory / package / "data").iterdir():
            if entry.is_dir() and entry.name not in AWS_SERVICES:
                shutil.rmtree(entry)


def _normalize(directory: Path) -> None:
    for path in sorted(directory.rglob("*"), reverse=True):
        path.chmod(0o755 if path.is_dir() else 0o644)
        os.utime(path, (_EPOCH, _EPOCH))


def _digest(bundle: Bundle) -> str:
    digest = hashlib.sha256(_requirements_digest(bundle).encode())
    for path in _source_files():
        digest.update(f"{path.relative_to(ROOT).as_posix()}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _requirements_digest(bundle: Bundle) -> str:
    text = [_RECIPE, *sorted(AWS_SERVICES), *PLATFORMS, str(PYTHON_VERSION), CONSTRAINTS.read_text()]
    text += [(ROOT / name).read_text() for name in bundle.requirements]
    return hashlib.sha256("\0".join(text).encode()).hexdigest()


def _source_files() -> Iterator[Path]:
    for source in SOURCES:
        for path in sorted((ROOT / source).rglob("*")):
            if "__pycache__" not in path.parts and path.name != ".DS_Store" and path.is_file():
                yield path


def main() -> int:
    """Build and check both bundles; prints their sizes, returns 1 where the check finds something."""
    from infra.bundle_check import check, report  # noqa: PLC0415  # it imports this module

    try:
        for bundle in BUNDLES:
            print(f"{bundle.directory.name}: {'built' if build(bundle) else 'unchanged'}")
    except BundleError as error:
        print(error, file=sys.stderr)
        return 1
    print(report())
    findings = check()
    for finding in findings:
        print(f"error: {finding}", file=sys.stderr)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
