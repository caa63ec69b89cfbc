"""The upload address of a deployed stage, against moto."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from infra.session import NotReadyError
from infra.settings import InfraSettings
from infra.upload_address import address, main
from lib.domain.direct_upload import upload_url

TEMPLATE = """{
  "Resources": {"T": {"Type": "AWS::SNS::Topic"}},
  "Outputs": {"ApiEndpoint": {"Value": "https://abc.execute-api.eu-west-1.amazonaws.com"}}
}"""


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield boto3.Session(region_name="eu-west-1")


def deployed(session: Any) -> None:
    session.client("cloudformation").create_stack(StackName="Vsl-homolog-app", TemplateBody=TEMPLATE)
    secret = "vsl/homolog/webhook/token-key"
    session.client("secretsmanager").create_secret(Name=secret, SecretString="token-key")


def test_it_is_made_of_the_stages_address_and_token_key(
    session: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    deployed(session)
    expected = upload_url("https://abc.execute-api.eu-west-1.amazonaws.com", "token-key", "cog")

    assert address(session, InfraSettings(), "cog") == expected
    assert main(["cog"]) == 0
    assert capsys.readouterr().out.strip() == expected


def test_a_stage_that_is_not_deployed_is_told(session: Any, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(NotReadyError, match="is it deployed here"):
        address(session, InfraSettings(), "cog")
    assert main(["cog"]) == 1
    assert "Stage homolog cannot be asked" in capsys.readouterr().err
