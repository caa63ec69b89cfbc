"""What Lambda runs our code on: CPython 3.14 on Amazon Linux 2023 (glibc 2.34), arm64."""

from packaging.tags import Tag, compatible_tags, cpython_tags

PYTHON_VERSION = (3, 14)
MACHINE = "aarch64"
_GLIBC_MINORS = (34, 31, 28, 27, 26, 24, 17)
PLATFORMS = (*(f"manylinux_2_{minor}_{MACHINE}" for minor in _GLIBC_MINORS), f"manylinux2014_{MACHINE}")
MARKERS = {
    "implementation_name": "cpython",
    "implementation_version": "3.14.0",
    "os_name": "posix",
    "platform_machine": MACHINE,
    "platform_python_implementation": "CPython",
    "platform_system": "Linux",
    "python_full_version": "3.14.0",
    "python_version": "3.14",
    "sys_platform": "linux",
    "extra": "",
}
# Modules of the standard library that older Pythons have and 3.14 has not (PEP 594 and others).
REMOVED_MODULES = frozenset(
    [
        "aifc",
        "asynchat",
        "asyncore",
        "audioop",
        "cgi",
        "cgitb",
        "chunk",
        "crypt",
        "distutils",
        "imghdr",
        "imp",
        "lib2to3",
        "mailcap",
        "msilib",
        "nis",
        "nntplib",
        "ossaudiodev",
        "pipes",
        "smtpd",
        "sndhdr",
        "spwd",
        "sunau",
        "telnetlib",
        "uu",
        "xdrlib",
    ]
)


def supported_tags() -> frozenset[Tag]:
    """Every wheel tag that this target can load."""
    return frozenset(
        [
            *cpython_tags(PYTHON_VERSION, platforms=PLATFORMS),
            *compatible_tags(PYTHON_VERSION, "cp314", PLATFORMS),
        ]
    )
