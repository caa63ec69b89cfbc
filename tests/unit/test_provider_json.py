"""An update as a message carries it: it comes back whole, and no blob is in it."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from lib.domain.provider import (
    Failure,
    FailureKind,
    OutputKind,
    ProviderOutput,
    ProviderUpdate,
    RemoteStatus,
)
from lib.domain.provider_json import LONGEST_WORD, update_from_json, update_to_json

WHOLE = ProviderUpdate(
    RemoteStatus.SUCCEEDED,
    "id-1",
    tuple(ProviderOutput(kind, "x") for kind in OutputKind if kind is not OutputKind.BLOB),
    Failure(FailureKind.MODERATION, "no", True, 1.5, True),
    0.5,
    "Succeeded",
    datetime(2026, 1, 31, tzinfo=UTC),
    datetime(2026, 2, 1, tzinfo=UTC),
    2.5,
    Decimal("0.040"),
)


@pytest.mark.parametrize("update", [WHOLE, ProviderUpdate(RemoteStatus.UNKNOWN)])
def test_an_update_comes_back_whole(update: ProviderUpdate) -> None:
    assert update_from_json(json.loads(json.dumps(update_to_json(update)))) == update


def test_what_stands_in_a_words_place_does_not_make_a_message_grow() -> None:
    told = update_to_json(ProviderUpdate(RemoteStatus.UNKNOWN, raw_status="x" * 5_000_000))
    assert len(told["rawStatus"]) == LONGEST_WORD


def test_a_blob_is_never_told_to_anyone() -> None:
    blob = ProviderOutput(OutputKind.BLOB, "blob:0123456789abcdef:0")
    with pytest.raises(ValueError, match="becomes an object before"):
        blob.as_json()
    with pytest.raises(ValueError, match="becomes an object before"):
        update_to_json(replace(WHOLE, outputs=(blob,)))


def test_a_blob_is_believed_from_no_message() -> None:
    told = {"status": "succeeded", "outputs": [{"kind": "blob", "value": "blob:0123456789abcdef:0"}]}
    with pytest.raises(ValueError, match="cannot come from elsewhere"):
        update_from_json(told)
