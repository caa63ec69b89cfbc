"""What an HTTP status tells of a failure where nothing else does."""

import pytest

from lib.domain.provider import FailureKind
from lib.providers.status_kinds import PASSING_KINDS, kind_of_status


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (301, FailureKind.UNKNOWN),
        (400, FailureKind.INVALID_INPUT),
        (401, FailureKind.AUTHENTICATION),
        (402, FailureKind.BILLING),
        (403, FailureKind.AUTHENTICATION),
        (404, FailureKind.NOT_FOUND),
        (408, FailureKind.OUTAGE),
        (409, FailureKind.UNKNOWN),
        (413, FailureKind.INVALID_INPUT),
        (422, FailureKind.INVALID_INPUT),
        (429, FailureKind.RATE_LIMITED),
        (499, FailureKind.UNKNOWN),
        (500, FailureKind.OUTAGE),
        (599, FailureKind.OUTAGE),
    ],
)
def test_a_status_has_its_kind(status: int, kind: FailureKind) -> None:
    assert kind_of_status(status) is kind


def test_a_providers_own_meaning_counts_more() -> None:
    own = {409: FailureKind.RATE_LIMITED, 503: FailureKind.RATE_LIMITED}
    assert [kind_of_status(status, own) for status in (409, 503)] == [FailureKind.RATE_LIMITED] * 2
    assert kind_of_status(500, own) is FailureKind.OUTAGE


def test_what_passes_is_a_limit_or_an_outage() -> None:
    assert {FailureKind.RATE_LIMITED, FailureKind.OUTAGE} == PASSING_KINDS
