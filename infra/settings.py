"""What an operator chooses at synth: CDK context first, then environment, then defaults. No AWS call."""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

DEFAULT_STAGE = "homolog"
PRODUCTION_STAGES = frozenset({"prod", "production"})
_STAGE = re.compile(r"[a-z][a-z0-9-]{0,18}[a-z0-9]")
LOG_RETENTION = {
    1: "ONE_DAY",
    7: "ONE_WEEK",
    14: "TWO_WEEKS",
    30: "ONE_MONTH",
    90: "THREE_MONTHS",
    180: "SIX_MONTHS",
    365: "ONE_YEAR",
    731: "TWO_YEARS",
}


@dataclass(frozen=True, kw_only=True)
class InfraSettings:
    """The choices that shape the templates; what a deployment may change is a stack parameter instead."""

    stage: str = DEFAULT_STAGE
    bundle: bool = True
    alarm_email: str = ""
    log_retention_days: int = 30
    throttle_rate: int = 500
    throttle_burst: int = 1000

    def __post_init__(self) -> None:
        """Refuse what AWS would only refuse minutes later."""
        if not _STAGE.fullmatch(self.stage):
            raise ValueError(
                f"stage {self.stage!r}: 2 to 20 lower-case letters, digits and dashes, starting with a letter"
            )
        if self.log_retention_days not in LOG_RETENTION:
            raise ValueError(f"log_retention_days {self.log_retention_days}: one of {[*LOG_RETENTION]}")
        for name in ("throttle_rate", "throttle_burst"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} {getattr(self, name)}: a whole number of at least 1")

    @property
    def is_production(self) -> bool:
        """Whether stateful resources outlive their stack."""
        return self.stage in PRODUCTION_STAGES

    def name(self, suffix: str) -> str:
        """The physical name `vsl-{stage}-{suffix}`."""
        return f"vsl-{self.stage}-{suffix}"

    def secret_name(self, suffix: str) -> str:
        """The Secrets Manager name `vsl/{stage}/{suffix}`."""
        return f"vsl/{self.stage}/{suffix}"


def load(
    context: Callable[[str], Any] = lambda _: None, environment: Mapping[str, str] = os.environ
) -> InfraSettings:
    """Settings from CDK context (`-c stage=...`), else `VSL_*` variables, else defaults.

    Raises ValueError naming the wrong value.
    """

    def chosen(name: str, default: str) -> str:
        value = context(name)
        return str(value) if value is not None else environment.get(f"VSL_{name.upper()}") or default

    def number(name: str, default: int) -> int:
        value = chosen(name, str(default))
        try:
            return int(value)
        except ValueError:
            raise ValueError(f"{name} {value!r}: a whole number") from None

    return InfraSettings(
        stage=chosen("stage", DEFAULT_STAGE),
        bundle=chosen("bundle", "1").lower() not in {"0", "false", "no"},
        alarm_email=chosen("alarm_email", ""),
        log_retention_days=number("log_retention_days", 30),
        throttle_rate=number("throttle_rate", 500),
        throttle_burst=number("throttle_burst", 1000),
    )
