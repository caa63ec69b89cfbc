"""Holds the built bundles against Lambda, statically: wheel tags, machine code, requirements, imports, sizes.

It stands in for running them: nothing on a laptop runs arm64 code for Python 3.14.
"""

import re
from collections.abc import Iterator
from importlib.metadata import Distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.tags import parse_tag
from packaging.utils import canonicalize_name

from infra.bundle_imports import missing_imports, unbundled_services
from infra.bundle_paths import CONSTRAINTS, LAMBDA_BUNDLE, MEDIA_BUNDLE, ROOT
from infra.bundle_target import MARKERS, supported_tags
from infra.functions import FUNCTIONS

UNZIPPED_LIMIT_BYTES = 250 * 1024 * 1024
_ELF_AARCH64 = 183


def check() -> list[str]:
    """Everything that would not work on Lambda, one sentence each; empty when both bundles are right."""
    findings = []
    for directory in (LAMBDA_BUNDLE, MEDIA_BUNDLE):
        findings += [f"{directory.name}: {finding}" for finding in check_directory(directory)]
    for spec in FUNCTIONS:
        directory = MEDIA_BUNDLE if spec.with_media else LAMBDA_BUNDLE
        findings += missing_imports(directory, spec.name, complete=spec.with_media)
    return findings + unbundled_services(LAMBDA_BUNDLE)


def check_directory(directory: Path) -> Iterator[str]:
    """What is wrong with the bundle at `directory` whatever function runs in it."""
    yield from _wrong_wheels(directory)
    yield from _wrong_machine_code(directory)
    yield from _unmet_requirements(directory)
    yield from _unpinned(directory)
    size = size_bytes(directory)
    if size > UNZIPPED_LIMIT_BYTES:
        yield f"{size} bytes unzipped, Lambda takes {UNZIPPED_LIMIT_BYTES}"


def report() -> str:
    """One line per bundle: size, share of Lambda's limit, number of distributions."""
    lines = []
    for directory in (LAMBDA_BUNDLE, MEDIA_BUNDLE):
        size, count = size_bytes(directory), len(list(directory.glob("*.dist-info")))
        share = size / UNZIPPED_LIMIT_BYTES
        lines.append(
            f"{directory.name}: {size / 2**20:.1f} MiB unzipped ({share:.0%} of the limit), {count} wheels"
        )
    return "\n".join(lines)


def size_bytes(directory: Path) -> int:
    """The size of all files under `directory`, as Lambda counts it."""
    return sum(path.stat().st_size for path in directory.rglob("*") if path.is_file())


def _wrong_wheels(directory: Path) -> Iterator[str]:
    supported = supported_tags()
    for wheel in sorted(directory.glob("*.dist-info/WHEEL")):
        lines = wheel.read_text(encoding="utf-8").splitlines()
        tags = {tag for line in lines if line.startswith("Tag: ") for tag in parse_tag(line[len("Tag: ") :])}
        if not tags & supported:
            yield f"{wheel.parent.name} is for {', '.join(sorted(map(str, tags)))}, not for Lambda"


def _wrong_machine_code(directory: Path) -> Iterator[str]:
    for path in sorted(directory.rglob("*.so*")):
        header = path.read_bytes()[:20]
        if header[:4] != b"\x7fELF" or int.from_bytes(header[18:20], "little") != _ELF_AARCH64:
            yield f"{path.relative_to(directory)} is not arm64 machine code"


def _unmet_requirements(directory: Path) -> Iterator[str]:
    """pip reads the conditions of requirements as of this machine; here they are read as of Lambda."""
    found = {
        canonicalize_name(distribution.metadata["Name"]): distribution
        for distribution in map(Distribution.at, sorted(directory.glob("*.dist-info")))
    }
    for name, distribution in found.items():
        for line in distribution.requires or ():
            requirement = Requirement(line)
            if requirement.marker is not None and not requirement.marker.evaluate(dict(MARKERS)):
                continue
            wanted = found.get(canonicalize_name(requirement.name))
            if wanted is None or not requirement.specifier.contains(wanted.version, prereleases=True):
                have = wanted.version if wanted else "nothing"
                yield f"{name} requires {requirement}, the bundle has {have}"


def _unpinned(directory: Path) -> Iterator[str]:
    """A wheel whose version no file of ours states would change under an unchanged checkout."""
    files = [ROOT / "requirements.txt", ROOT / "requirements-media.txt", CONSTRAINTS]
    pins = "\n".join(path.read_text(encoding="utf-8") for path in files)
    pinned = {
        canonicalize_name(name) for name in re.findall(r"^([\w.-]+)(?:\[[^]]*])?==", pins, re.MULTILINE)
    }
    for distribution in map(Distribution.at, sorted(directory.glob("*.dist-info"))):
        name = canonicalize_name(distribution.metadata["Name"])
        if name not in pinned:
            yield f"{name}=={distribution.version} is pinned nowhere: add it to {CONSTRAINTS.relative_to(ROOT)}"
