"""`python -m local`: the whole gateway on this machine, until Ctrl-C. PORT chooses the API's port; 0 a free one."""

import os
import signal
import sys
import threading
from collections.abc import Mapping
from types import FrameType
from urllib.parse import urlsplit

from infra import configuration, parameters
from lib.providers.registry import ADAPTERS
from local.backing import BackingError, PortInUseError, children
from local.banner import banner
from local.cloud import LocalCloud
from local.developer_key import DeveloperKeyError
from local.run_directory import AlreadyRunningError
from local.settings import DEFAULT_PORT, STAGE, CloudSettings
from local.synth_cache import SynthesisError
from local.template import TemplateError

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_FAILURES = (AlreadyRunningError, BackingError, SynthesisError, TemplateError, DeveloperKeyError)


_OTHER_PORT = "choose another with PORT=..., or PORT=0 for a free one"


class Interruption:
    """The first signal interrupts the main thread; a second one, while things are being stopped, kills them all."""

    def __init__(self) -> None:
        self._count = 0

    def install(self) -> None:
        """Take over SIGINT, SIGTERM and SIGHUP."""
        for number in _SIGNALS:
            signal.signal(number, self._handle)

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        self._count += 1
        if self._count == 1:
            raise KeyboardInterrupt
        children.kill_all()
        os._exit(128 + number)


def main() -> int:
    """Run until a signal: 0; or 1 with a reason on standard error if it cannot start."""
    try:
        settings = settings_from(os.environ)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    Interruption().install()
    cloud = LocalCloud(settings, write=lambda line: print(line, flush=True))
    print("starting (the first time takes a few seconds longer) ...", flush=True)
    try:
        cloud.start()
        _announce(cloud)
        _wait_for_a_signal()
    except KeyboardInterrupt:
        print("\nstopping ...", flush=True)
        cloud.stop()
    except PortInUseError as error:
        print(f"cannot start: {error}; {_OTHER_PORT}", file=sys.stderr)
        return 1
    except _FAILURES as error:
        print(f"cannot start: {error}", file=sys.stderr)
        return 1
    return 0


def _wait_for_a_signal() -> None:
    """Until a handler raises. In turns: a signal between the last check and the wait would wake nobody."""
    while not threading.Event().wait(0.5):
        pass


def _announce(cloud: LocalCloud) -> None:
    if cloud.endpoints is not None:
        settings = cloud.settings
        print(
            banner(cloud.endpoints, settings.directory, real_replicate=bool(settings.replicate_token)),
            flush=True,
        )


PASSED_ON = ("MODELS_CONFIG", "PROVIDERS_CONFIG", "UNPRICED_MODELS")
"""What the functions get as it is: other models, and providers that are all data."""


OWN_WAY = ("replicate", "cog")
"""Providers whose key is not all it takes: Replicate's has a simulator apart, Cog's server runs here."""


def settings_from(environment: Mapping[str, str]) -> CloudSettings:
    """Settings of `make run`: PORT, the providers' keys, and `PASSED_ON`; ValueError for what of these is wrong."""
    port = environment.get("PORT") or str(DEFAULT_PORT)
    if not port.isdigit() or int(port) > 65535:
        raise ValueError(f"PORT is {port!r}; it must be a number from 0 (a free port) to 65535")
    passed_on = {name: environment[name] for name in PASSED_ON if environment.get(name)}
    parameters.values(passed_on, stage=STAGE)
    if problems := configuration.problems(passed_on, bundled=False):
        raise ValueError("cannot start:\n" + "\n".join(f"  - {problem}" for problem in problems))
    described = configuration.described_providers(passed_on)
    here = [entry for entry in described.values() if entry.base_url.startswith("http://")]
    variables = {name: each.variable for name, each in ADAPTERS.items() if name not in OWN_WAY}
    variables |= {name: entry.variable for name, entry in described.items() if entry not in here}
    return CloudSettings(
        port=int(port),
        replicate_token=environment.get("REPLICATE_API_TOKEN", "").strip(),
        provider_keys=_given(environment, variables),
        environment={**passed_on, **_given(environment, {entry.variable: entry.variable for entry in here})},
        output_hosts=tuple(urlsplit(entry.base_url).netloc for entry in here),
        warm=True,
    )


def _given(environment: Mapping[str, str], variables: Mapping[str, str]) -> dict[str, str]:
    """What stands in these variables, by the names that they have here; what is empty is left out."""
    found = {name: environment.get(variable, "").strip() for name, variable in variables.items()}
    return {name: value for name, value in found.items() if value}


if __name__ == "__main__":
    sys.exit(main())
