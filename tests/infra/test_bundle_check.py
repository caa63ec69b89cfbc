"""The static check of a bundle finds what would only fail on Lambda."""

from pathlib import Path

import pytest

from infra.bundle_check import check_directory
from infra.bundle_imports import missing_imports, unbundled_services

ELF = b"\x7fELF" + bytes(14)
ARM64, X86_64 = (183).to_bytes(2, "little"), (62).to_bytes(2, "little")


def _wheel(
    bundle: Path, *tags: str, name: str = "boto3", version: str = "1.44.5", requires: str = ""
) -> None:
    info = bundle / f"{name}-{version}.dist-info"
    info.mkdir()
    (info / "WHEEL").write_text("Wheel-Version: 1.0\n" + "".join(f"Tag: {tag}\n" for tag in tags))
    requirement = f"Requires-Dist: {requires}\n" if requires else ""
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{requirement}")


def _source(bundle: Path, path: str, text: str) -> None:
    file = bundle / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


@pytest.mark.parametrize(
    "tag",
    [
        "py3-none-any",
        "py2.py3-none-any",
        "cp314-cp314-manylinux_2_17_aarch64",
        "cp314-cp314-manylinux_2_28_aarch64",
        "cp39-abi3-manylinux2014_aarch64",
    ],
)
def test_a_wheel_that_lambda_can_load_is_right(tmp_path: Path, tag: str) -> None:
    _wheel(tmp_path, tag)
    assert list(check_directory(tmp_path)) == []


@pytest.mark.parametrize(
    "tag",
    [
        "cp314-cp314-manylinux_2_28_x86_64",
        "cp314-cp314-macosx_11_0_arm64",
        "cp314-cp314-musllinux_1_2_aarch64",
        "cp314-cp314-manylinux_2_39_aarch64",
        "cp313-cp313-manylinux_2_28_aarch64",
        "cp314-cp314t-manylinux_2_28_aarch64",
    ],
)
def test_a_wheel_for_another_machine_system_or_python_is_found(tmp_path: Path, tag: str) -> None:
    _wheel(tmp_path, tag)
    (finding,) = check_directory(tmp_path)
    assert finding == f"boto3-1.44.5.dist-info is for {tag}, not for Lambda"


def test_machine_code_is_held_to_what_it_is_and_not_to_what_its_wheel_says(tmp_path: Path) -> None:
    (tmp_path / "right.so").write_bytes(ELF + ARM64)
    (tmp_path / "wrong.so.1").write_bytes(ELF + X86_64)
    assert list(check_directory(tmp_path)) == ["wrong.so.1 is not arm64 machine code"]


def test_requirements_are_read_as_of_lambda_and_not_as_of_this_machine(tmp_path: Path) -> None:
    _wheel(tmp_path, "py3-none-any", requires='six>=1.0; python_version >= "3.14"')
    (finding,) = check_directory(tmp_path)
    assert finding.startswith("boto3 requires six>=1.0")
    assert finding.endswith("the bundle has nothing")


def test_a_requirement_of_other_machines_is_none_of_lambda(tmp_path: Path) -> None:
    _wheel(tmp_path, "py3-none-any", requires='six>=1.0; platform_machine == "x86_64"')
    assert list(check_directory(tmp_path)) == []


def test_a_wheel_whose_version_nobody_states_is_found(tmp_path: Path) -> None:
    _wheel(tmp_path, "py3-none-any", name="leftpad", version="1.0")
    assert list(check_directory(tmp_path)) == [
        "leftpad==1.0 is pinned nowhere: add it to infra/constraints.txt"
    ]


def test_an_import_is_followed_through_our_modules_to_what_the_bundle_lacks(tmp_path: Path) -> None:
    _source(tmp_path, "handlers/__init__.py", "")
    _source(tmp_path, "handlers/h.py", "import json\nfrom lib.a import thing\n")
    _source(tmp_path, "lib/__init__.py", "")
    _source(tmp_path, "lib/a/__init__.py", "from . import deep\n")
    _source(tmp_path, "lib/a/deep.py", "def f() -> None:\n    import redis\n")
    assert missing_imports(tmp_path, "h", complete=False) == [
        f"handlers.h: lib/a/deep.py imports redis, which {tmp_path.name} lacks"
    ]
    _source(tmp_path, "redis/__init__.py", "")
    assert missing_imports(tmp_path, "h", complete=False) == []


def test_an_import_for_types_alone_needs_nothing(tmp_path: Path) -> None:
    _source(
        tmp_path,
        "handlers/h.py",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import mypy_boto3_s3\nelse:\n    import absent\n",
    )
    assert missing_imports(tmp_path, "h", complete=False) == [
        f"handlers.h: handlers/h.py imports absent, which {tmp_path.name} lacks"
    ]


def test_a_module_that_left_the_standard_library_before_314_is_found(tmp_path: Path) -> None:
    _source(tmp_path, "handlers/h.py", "import imghdr\n")
    assert missing_imports(tmp_path, "h", complete=False) == [
        f"handlers.h: handlers/h.py imports imghdr, which {tmp_path.name} lacks"
    ]


def test_decoders_may_be_missing_only_where_a_shared_module_imports_them_late(tmp_path: Path) -> None:
    _source(tmp_path, "handlers/late.py", "def f() -> None:\n    import av\n")
    _source(tmp_path, "handlers/early.py", "import av\n")
    assert missing_imports(tmp_path, "late", complete=False) == []
    assert len(missing_imports(tmp_path, "late", complete=True)) == 1
    assert len(missing_imports(tmp_path, "early", complete=False)) == 1


def test_a_handler_that_is_not_there_is_found(tmp_path: Path) -> None:
    (finding,) = missing_imports(tmp_path, "nobody", complete=False)
    assert "handlers.nobody" in finding


def test_a_client_of_a_service_that_was_pruned_is_found(tmp_path: Path) -> None:
    (tmp_path / "botocore" / "data" / "sqs").mkdir(parents=True)
    _source(tmp_path, "lib/a.py", 'import boto3\nboto3.client("sqs")\nboto3.Session().client("ec2")\n')
    assert unbundled_services(tmp_path) == ["lib/a.py makes a client of 'ec2', which the bundle has pruned"]
