"""Which addresses in our bucket are a provider's outputs of an attempt, and which stay addresses."""

from dataclasses import replace

import pytest

from lib.domain.provider import OutputKind, ProviderOutput, ProviderUpdate, RemoteStatus, UploadPolicy
from lib.services.direct_uploads import DirectUploads

JOB, OTHER = "0190f4a8-0000-7000-8000-000000000001", "0190f4a8-0000-7000-8000-000000000002"
VIRTUAL, PATH = "https://media.s3.eu-west-1.amazonaws.com/", "https://s3.eu-west-1.amazonaws.com/media/"
MINE = f"temp/uploads/{JOB}/1/"


def uploads() -> DirectUploads:
    return DirectUploads(lambda prefix: UploadPolicy(VIRTUAL, {"key": prefix}, prefix), (VIRTUAL, PATH))


def update(*urls: str) -> ProviderUpdate:
    outputs = tuple(ProviderOutput(OutputKind.URL, url) for url in urls)
    return ProviderUpdate(RemoteStatus.SUCCEEDED, "req_1", outputs=outputs)


def recognized(url: str) -> ProviderOutput:
    [output] = uploads().recognized(update(url), JOB, 1).outputs
    return output


def test_a_policy_is_for_the_attempts_own_prefix() -> None:
    assert uploads().policy(JOB, 2).key_prefix == f"temp/uploads/{JOB}/2/"


@pytest.mark.parametrize("base", [VIRTUAL, PATH, "https://MEDIA.s3.EU-west-1.amazonaws.com/"])
@pytest.mark.parametrize(
    ("leaf", "key"),
    [("a.png", "a.png"), ("0f-caf%C3%A9%20x.png", "0f-café x.png"), ("a%2520b.png", "a%20b.png")],
)
def test_an_object_below_the_attempts_prefix_is_an_object(base: str, leaf: str, key: str) -> None:
    assert recognized(f"{base}{MINE}{leaf}") == ProviderOutput(OutputKind.OBJECT, f"{MINE}{key}")


@pytest.mark.parametrize(
    "url",
    [
        f"{VIRTUAL}temp/uploads/{OTHER}/1/a.png",
        f"{VIRTUAL}temp/uploads/{JOB}/2/a.png",
        f"{VIRTUAL}temp/uploads/{JOB}/11/a.png",
        f"{VIRTUAL}temp/uploads/{JOB}/1/",
        f"{VIRTUAL}{MINE}more/a.png",
        f"{VIRTUAL}{MINE}more%2Fa.png",
        f"{VIRTUAL}{MINE}..%5Ca.png",
        f"{VIRTUAL}{MINE}a%00.png",
        f"{VIRTUAL}temp/uploads/{JOB}/1/../../{OTHER}/1/a.png",
        f"{VIRTUAL}media/u1/image/a.png",
        f"{VIRTUAL}{MINE}a.png?X-Amz-Signature=x",
        f"{VIRTUAL}{MINE}a.png#x",
        f"https://other.s3.eu-west-1.amazonaws.com/{MINE}a.png",
        f"https://s3.eu-west-1.amazonaws.com/other/{MINE}a.png",
        f"https://media.s3.eu-west-1.amazonaws.com.evil.example/{MINE}a.png",
        f"https://evil.example/{VIRTUAL}{MINE}a.png",
        f"https://user@media.s3.eu-west-1.amazonaws.com/{MINE}a.png",
        f"http://media.s3.eu-west-1.amazonaws.com/{MINE}a.png",
        f"https://media.s3.eu-west-1.amazonaws.com:8443/{MINE}a.png",
        f"https://[media/{MINE}a.png",
        "https://v3.fal.media/files/a/b.png",
    ],
)
def test_any_other_address_stays_one(url: str) -> None:
    assert recognized(url) == ProviderOutput(OutputKind.URL, url)


def test_a_text_that_looks_like_an_address_stays_a_text() -> None:
    text = replace(update(), outputs=(ProviderOutput(OutputKind.TEXT, f"{VIRTUAL}{MINE}a.png"),))
    assert uploads().recognized(text, JOB, 1) == text


def test_what_went_elsewhere_stands_beside_what_was_uploaded() -> None:
    found = uploads().recognized(update(f"{VIRTUAL}{MINE}a.png", "https://v3.fal.media/b.png"), JOB, 1)
    assert [output.kind for output in found.outputs] == [OutputKind.OBJECT, OutputKind.URL]
    assert found.provider_job_id == "req_1"
