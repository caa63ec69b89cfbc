"""A provider that is all data: its answers to cancels and tests, and its webhooks."""

import json
from typing import Any

import pytest

from lib.domain.errors import BadRequestError, ProviderError, UnauthenticatedError
from lib.domain.provider import FailureKind, RemoteStatus
from tests.fakes.http_answers import NOW, REMOTE, VIDEO, answer, job, kling, luma, task
from tests.fakes.http_entries import KLING_LIKE, adapter_of, luma_entry


def test_a_delete_is_the_end_of_it() -> None:
    said = luma.parse_cancel(answer(204))
    assert (said.status, said.failure and said.failure.kind) == (RemoteStatus.CANCELED, FailureKind.CANCELED)


def test_a_cancel_that_only_asks_tells_the_status() -> None:
    shaped = adapter_of(luma_entry() | {"cancel": {"path": "/g/{id}/stop", "ok": [202]}})

    assert shaped.parse_cancel(answer(202, job("dreaming"))).status is RemoteStatus.RUNNING
    with pytest.raises(ProviderError, match="HTTP 200 to a cancel"):
        shaped.parse_cancel(answer(200, job("dreaming")))


def test_a_cancel_of_what_is_gone_is_not_found() -> None:
    with pytest.raises(ProviderError) as caught:
        luma.parse_cancel(answer(404, {"detail": "Generation not found"}))
    assert caught.value.code == FailureKind.NOT_FOUND.value


def test_a_cancel_may_be_refused_by_a_code_though_http_says_yes() -> None:
    shaped = adapter_of(KLING_LIKE | {"cancel": {"path": "/v1/videos/{id}/cancel"}})
    with pytest.raises(ProviderError, match="too late"):
        shaped.parse_cancel(answer(200, {"code": 1200, "message": "too late"}))


def test_the_test_shows_what_the_entry_names_of_the_account() -> None:
    assert luma.parse_test(answer(200, {"credit_balance": 1250})) == "1250"
    assert luma.parse_test(answer(200, {"odd": {}})) == "Luma Dream Machine"
    assert kling.parse_test(answer(200, {"code": 0, "data": []})) == "Kling-like"
    with pytest.raises(ProviderError, match="Not authenticated"):
        luma.parse_test(answer(401, {"detail": "Not authenticated"}))
    with pytest.raises(ProviderError, match="expired"):
        kling.parse_test(answer(200, {"code": 1004, "message": "expired"}))


def test_a_webhooks_body_is_as_that_of_a_poll() -> None:
    body = json.dumps(job("completed", assets={"video": VIDEO})).encode()
    update = luma.parse_webhook({}, body, (), NOW)

    assert (update.status, update.provider_job_id) == (RemoteStatus.SUCCEEDED, REMOTE)
    assert luma.hinted_job_id(body) == REMOTE
    assert luma.hinted_job_id(b"x") is None


@pytest.mark.parametrize("body", [task("succeed"), task("succeed")["data"]])
def test_a_webhook_may_come_in_its_envelope_or_bare(body: Any) -> None:
    update = kling.parse_webhook({}, json.dumps(body).encode(), (), NOW)
    assert (update.status, update.provider_job_id) == (RemoteStatus.SUCCEEDED, "8313")


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"\xff", b'{"id": "../x", "state": "completed"}'])
def test_a_webhook_that_names_no_job_is_refused(body: bytes) -> None:
    for adapter in (luma, kling):
        with pytest.raises(BadRequestError, match="is not a job of"):
            adapter.parse_webhook({}, body, (), NOW)


def test_a_provider_that_does_not_call_back_is_not_heard() -> None:
    shaped = adapter_of(luma_entry() | {"webhook": {"proof": "none"}})
    with pytest.raises(UnauthenticatedError):
        shaped.parse_webhook({}, json.dumps(job()).encode(), (), NOW)
