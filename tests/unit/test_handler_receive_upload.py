"""`PUT /upload/{provider}/{filename}`: a file is sent on to the bucket, for the attempt that its server names."""

import base64
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from handlers.receive_upload import handler
from lib import bootstrap
from lib.domain.direct_upload import is_upload_of, presented_token, upload_token, upload_url
from tests.fakes.cog_answers import PREDICTION_ID
from tests.fakes.events import Context, body_of, request
from tests.fakes.wired import ENVIRONMENT, Wired

TOKEN = upload_token(ENVIRONMENT["WEBHOOK_TOKEN_KEY"], "cog")


def basic(token: str) -> str:
    """As an HTTP client makes it of `https://cog:{token}@host/`."""
    return f"Basic {base64.b64encode(f'cog:{token}'.encode()).decode()}"


def upload(
    filename: str = "sketch.png",
    *,
    provider: str = "cog",
    token: str = TOKEN,
    prediction_id: str = PREDICTION_ID,
) -> dict[str, Any]:
    headers = {"authorization": basic(token), "x-prediction-id": prediction_id}
    return request("receive_upload", path=f"/upload/{provider}/{filename}", headers=headers)


@pytest.fixture(autouse=True)
def _aws(wired: Wired, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    bootstrap.receive_upload.cache_clear()


def key_in(answer: dict[str, Any]) -> str:
    path = unquote(urlsplit(answer["headers"]["Location"]).path)
    return path[path.index("temp/") :]


def test_a_file_is_sent_on_to_an_address_of_the_bucket_that_takes_it_for_minutes() -> None:
    answer = handler(upload(), Context())

    assert answer["statusCode"] == 307
    query = parse_qs(urlsplit(answer["headers"]["Location"]).query)
    assert query["X-Amz-Expires"] == ["300"]
    assert query["X-Amz-SignedHeaders"] == ["host"]
    assert key_in(answer).endswith("-sketch.png")
    assert is_upload_of(key_in(answer), "cog", PREDICTION_ID)


def test_files_of_one_name_stay_apart() -> None:
    assert key_in(handler(upload(), Context())) != key_in(handler(upload(), Context()))


@pytest.mark.parametrize("name", ["a%20b.png", "%2e%2e%2f%2e%2e%2fx.png", "a%2Fb.png", "%E2%98%83.png"])
def test_any_name_stays_below_the_attempts_own_prefix(name: str) -> None:
    assert is_upload_of(key_in(handler(upload(name), Context())), "cog", PREDICTION_ID)


@pytest.mark.parametrize("token", ["", "wrong", TOKEN[:-1], TOKEN + "x", "é"])
def test_a_wrong_token_is_refused_and_told_of(wired: Wired, token: str) -> None:
    answer = handler(upload(token=token), Context())

    assert (answer["statusCode"], body_of(answer)["code"]) == (401, "upload_token_wrong")
    assert "Location" not in answer["headers"]


def test_a_token_is_worth_nothing_for_another_provider() -> None:
    assert handler(upload(provider="fal"), Context())["statusCode"] == 401


@pytest.mark.parametrize("authorization", ["", f"Bearer {TOKEN}", "Basic", "Basic !!", f"Basic {TOKEN}"])
def test_only_basic_credentials_are_read(authorization: str) -> None:
    event = upload()
    event["headers"]["authorization"] = authorization
    assert handler(event, Context())["statusCode"] == 401


@pytest.mark.parametrize(
    "prediction_id", ["", "pred_1", "../x", PREDICTION_ID.upper(), f"{PREDICTION_ID}/.."]
)
def test_a_prediction_that_is_none_of_ours_is_refused(prediction_id: str) -> None:
    assert handler(upload(prediction_id=prediction_id), Context())["statusCode"] == 400


@pytest.mark.parametrize("provider", ["Cog", "%2e%2e", "a" * 40])
def test_a_provider_that_cannot_be_one_is_not_found(provider: str) -> None:
    assert handler(upload(provider=provider), Context())["statusCode"] == 404


def test_the_address_for_a_server_carries_its_token_where_no_log_has_it() -> None:
    url = upload_url("https://gateway.example/", "key", "cog")

    parts = urlsplit(url)
    assert (parts.scheme, parts.hostname, parts.path) == ("https", "gateway.example", "/upload/cog/")
    assert presented_token(basic(parts.password or "")) == upload_token("key", "cog")


def test_neither_database_nor_redis_nor_a_table_is_touched(wired: Wired) -> None:
    wired.cache.down = wired.mirror.down = wired.record_tier.down = wired.keys.down = True
    assert handler(upload(), Context())["statusCode"] == 307
