"""The real bundles: built once, checked against Lambda, and the same when built again."""

import hashlib
from pathlib import Path

import pytest

from infra.bundle import AWS_SERVICES, BUNDLES, SOURCES, build
from infra.bundle_check import UNZIPPED_LIMIT_BYTES, check, report, size_bytes
from infra.bundle_paths import LAMBDA_BUNDLE, MEDIA_BUNDLE

pytestmark = pytest.mark.xdist_group("bundle")


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
