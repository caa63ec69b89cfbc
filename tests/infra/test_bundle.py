"""The real bundles: built once, checked against Lambda, and the same when built again."""

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from infra.bundle import AWS_SERVICES, BUNDLES, SOURCES, build
from infra.bundle_check import UNZIPPED_LIMIT_BYTES, check, report, size_bytes
from infra.bundle_paths import LAMBDA_BUNDLE, MEDIA_BUNDLE
from infra.functions import FUNCTIONS
from lib.stores.checked_catalogue import is_checked
from lib.stores.models_source import read_models_config

# In a new checkout the wheels are fetched first, over whatever network there is.
pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module", autouse=True)
def bundles() -> None:
    """Both bundles match the checkout; the first time this fetches their wheels."""
    for bundle in BUNDLES:
        build(bundle)


def _content(directory: Path) -> dict[str, tuple[str, int, int]]:
    """Hash, mode and time of every file: what the deployment sees of a bundle."""
    return {
        str(path.relative_to(directory)): (
            hashlib.sha256(path.read_bytes()).hexdigest(),
            path.stat().st_mode,
            int(path.stat().st_mtime),
        )
        for path in directory.rglob("*")
        if path.is_file()
    }


def test_the_bundles_have_all_that_lambda_needs_and_nothing_that_it_cannot_load() -> None:
    assert check() == []


def test_a_bundle_is_built_again_only_when_its_inputs_change_and_is_then_the_same() -> None:
    bundle = BUNDLES[0]
    before = _content(bundle.directory)
    assert build(bundle) is False
    bundle.stamp.unlink()
    assert build(bundle) is True
    assert _content(bundle.directory) == before


def test_a_bundle_holds_our_sources_and_neither_byte_code_nor_scripts() -> None:
    for directory in (LAMBDA_BUNDLE, MEDIA_BUNDLE):
        assert all((directory / source).is_dir() for source in SOURCES)
        assert not [
            path for path in directory.rglob("*") if path.name == "__pycache__" or path.suffix == ".pyc"
        ]
        assert not (directory / "bin").exists()
        assert not (directory / "local").exists()
        assert not (directory / "infra").exists()


def test_a_bundle_says_that_its_catalogue_was_checked() -> None:
    for directory in (LAMBDA_BUNDLE, MEDIA_BUNDLE):
        assert is_checked(read_models_config("config/models", root=directory), directory)


STARTS = """
import sys
sys.path.insert(0, sys.argv[1])
for name in sys.argv[2].split(","):
    __import__(f"handlers.{name}")
from lib.stores.models_source import load_catalogue
from lib.stores.postgres.migrations import load_migrations
print(len(load_catalogue("config/models").models), len(load_migrations()))
ours = [module for name, module in sys.modules.items() if name.partition(".")[0] in ("handlers", "lib")]
assert ours and all(module.__file__.startswith(sys.argv[1]) for module in ours)
"""


@pytest.mark.parametrize("directory", [LAMBDA_BUNDLE, MEDIA_BUNDLE], ids=lambda path: str(path.name))
def test_functions_start_from_the_sources_in_a_bundle_alone(directory: Path, tmp_path: Path) -> None:
    """As on Lambda, from another working directory; the wheels are this machine's, since arm64 does not run here."""
    task = tmp_path / "task"
    task.mkdir()
    for source in SOURCES:
        (task / source).symlink_to(directory / source)
    names = ",".join(spec.name for spec in FUNCTIONS)
    started = subprocess.run(
        [sys.executable, "-I", "-B", "-c", STARTS, str(task), names],
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )
    assert started.returncode == 0, started.stderr
    models, migrations = map(int, started.stdout.split())
    assert models >= 5
    assert migrations >= 4


def test_only_the_services_that_we_call_are_described() -> None:
    described = {path.name for path in (LAMBDA_BUNDLE / "botocore" / "data").iterdir() if path.is_dir()}
    assert described == AWS_SERVICES


def test_only_the_copy_carries_the_decoders() -> None:
    assert not (LAMBDA_BUNDLE / "av").exists()
    assert (MEDIA_BUNDLE / "av").is_dir()
    assert (MEDIA_BUNDLE / "PIL").is_dir()


def test_the_sizes_are_reported_and_within_the_limit() -> None:
    assert report().startswith("lambda: ")
    assert size_bytes(LAMBDA_BUNDLE) < size_bytes(MEDIA_BUNDLE) < UNZIPPED_LIMIT_BYTES
