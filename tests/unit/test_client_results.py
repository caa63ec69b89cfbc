"""A result that is apart is asked for in one poll, in as many steps as the provider's answers name."""

import pytest

from lib.domain.provider import Credential, ProviderUpdate, RemoteJob, RemoteStatus
from lib.ports.provider import ProviderAdapter
from lib.providers.client import HttpProviderClient
from lib.providers.fal import FalAdapter
from lib.providers.gemini import GeminiAdapter
from tests.fakes.scripted_transport import ScriptedTransport
from tests.fakes.stored_answers import stored_answer

COMPLETED = stored_answer("gemini", "completed_file")
INTERACTION = str(GeminiAdapter().parse_poll(COMPLETED).provider_job_id)
FAL_REQUEST = RemoteJob("764cabcf-b745-4b3e-ae38-1200304cf45b", "fal-ai/flux/schnell")


def polled(
    adapter: ProviderAdapter, remote: RemoteJob, *answers: tuple[str, str]
) -> tuple[ProviderUpdate, list[str]]:
    """What a poll came to, and the last parts of the addresses that it asked."""
    transport = ScriptedTransport([stored_answer(provider, name) for provider, name in answers])
    update = HttpProviderClient(adapter, transport).poll(remote, Credential(adapter.name, "AIza-key:secret"))
    assert transport.script == []
    return update, [request.url.rpartition("/")[2] for request in transport.sent]


def test_a_file_is_downloaded_once_it_is_active() -> None:
    update, asked = polled(
        GeminiAdapter(),
        RemoteJob(INTERACTION),
        ("gemini", "completed_file"),
        ("gemini", "file_active"),
        ("gemini", "file"),
    )
    assert update.status is RemoteStatus.SUCCEEDED
    assert len(update.outputs) == 1
    assert asked[1:] == ["abc-123xyz", "abc-123xyz:download?alt=media"]


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("file_processing", RemoteStatus.RUNNING),
        ("file_failed", RemoteStatus.FAILED),
        ("file_gone", RemoteStatus.FAILED),
    ],
)
def test_a_file_that_is_not_there_is_not_downloaded(name: str, status: RemoteStatus) -> None:
    update, asked = polled(
        GeminiAdapter(), RemoteJob(INTERACTION), ("gemini", "completed_file"), ("gemini", name)
    )
    assert (update.status, len(asked)) == (status, 2)


def test_a_result_without_outputs_is_not_asked_for_again() -> None:
    update, asked = polled(FalAdapter(), FAL_REQUEST, ("fal", "completed"), ("fal", "completed"))
    assert (update.status, update.outputs) == (RemoteStatus.SUCCEEDED, ())
    assert asked == ["status", FAL_REQUEST.provider_job_id]


@pytest.mark.parametrize(("seconds_each", "status", "asked"), [(14.0, "succeeded", 2), (16.0, "running", 1)])
def test_a_slow_answer_leaves_the_result_to_the_next_poll_so_that_the_worker_has_time_for_it(
    seconds_each: float, status: str, asked: int
) -> None:
    transport = ScriptedTransport([stored_answer("fal", "completed"), stored_answer("fal", "result_images")])
    client = HttpProviderClient(FalAdapter(), transport, monotonic=lambda: seconds_each * len(transport.sent))
    update = client.poll(FAL_REQUEST, Credential("fal", "key:secret"))
    assert (update.status, len(transport.sent)) == (RemoteStatus(status), asked)
    assert bool(update.outputs) is (update.status is RemoteStatus.SUCCEEDED)
