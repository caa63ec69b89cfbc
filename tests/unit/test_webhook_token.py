"""The token of a callback address proves one attempt at one provider, and nothing else."""

from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest

from lib.domain.provider import (
    Failure,
    FailureKind,
    OutputKind,
    ProviderOutput,
    ProviderUpdate,
    RemoteStatus,
)
from lib.domain.provider_json import update_from_json, update_to_json
from lib.domain.webhook_token import CallbackTarget, callback_url, make_token, token_is_genuine

TARGET = CallbackTarget("replicate", "019a5f3e-7c1b-7d42-9a06-2f1d6f0c8b51", 1)


def test_a_token_is_genuine_for_its_own_target() -> None:
    token = make_token("key", TARGET)
    assert len(token) == 43
    assert token_is_genuine("key", TARGET, token)


@pytest.mark.parametrize(
    "other",
    [
        replace(TARGET, job_id="019a5f3e-7c1b-7d42-9a06-2f1d6f0c8b52"),
        replace(TARGET, attempt=2),
        replace(TARGET, provider="fal"),
        replace(TARGET, credential_version="credential-7"),
        CallbackTarget("replicate", TARGET.job_id, 1, 'platform","replicate'),
    ],
)
def test_a_token_is_worth_nothing_for_another_target(other: CallbackTarget) -> None:
    assert not token_is_genuine("key", other, make_token("key", TARGET))


@pytest.mark.parametrize("forged", ["", "A" * 43, "ü", make_token("another key", TARGET)])
def test_a_forged_token_is_refused(forged: str) -> None:
    assert not token_is_genuine("key", TARGET, forged)


def test_the_address_holds_what_the_webhook_needs() -> None:
    url = urlsplit(callback_url("https://gateway.example/", "key", TARGET))
    assert (url.netloc, url.path) == ("gateway.example", "/webhook/replicate")
    query = {name: values[0] for name, values in parse_qs(url.query).items()}
    assert query == {"job": TARGET.job_id, "attempt": "1", "token": make_token("key", TARGET)}


def test_the_address_of_a_users_own_credential_names_its_version() -> None:
    target = replace(TARGET, credential_version="c 7")
    query = parse_qs(urlsplit(callback_url("https://gateway.example", "key", target)).query)
    assert query["credential"] == ["c 7"]


@pytest.mark.parametrize(
    "update",
    [
        ProviderUpdate(RemoteStatus.QUEUED),
        ProviderUpdate(
            RemoteStatus.SUCCEEDED,
            provider_job_id="p1",
            outputs=(ProviderOutput(OutputKind.URL, "https://x/1"), ProviderOutput(OutputKind.TEXT, "ü")),
            progress=0.5,
            raw_status="succeeded",
            started_at=datetime(2026, 1, 2, 3, 4, 5, 6000, tzinfo=UTC),
            completed_at=datetime(2026, 1, 2, 3, 4, 6, tzinfo=UTC),
            billed_seconds=1.25,
        ),
        ProviderUpdate(
            RemoteStatus.FAILED,
            provider_job_id="p1",
            failure=Failure(FailureKind.MODERATION, "NSFW", retryable=False, retry_after_seconds=3.5),
        ),
    ],
)
def test_an_update_survives_the_queue(update: ProviderUpdate) -> None:
    assert update_from_json(update_to_json(update)) == update
