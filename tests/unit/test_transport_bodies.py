"""What leaves as a request's body: a form, parts, JSON; and how long each may take."""

import time
from collections.abc import Iterator
from dataclasses import replace
from email import message_from_bytes
from email.message import Message
from urllib.parse import parse_qsl

import pytest

from lib.domain.errors import ConfigurationError, InvalidError
from lib.domain.http_exchange import Delivery, FormPart, HttpRequest
from lib.ports.provider import Operation, TransportError
from lib.providers.body import encoded_body
from lib.providers.transport import Limits, RequestsTransport
from tests.fakes.scripted_http import Received, Say, never_answer, serving

PICTURE = FormPart("image", b"\x89PNG\r\n\x1a\n\x00--not-a-boundary\r\n", "in.png", "image/png")


@pytest.fixture
def transport() -> Iterator[RequestsTransport]:
    made = RequestsTransport(limits=dict.fromkeys(Operation, Limits(connect=0.5, read=0.5, total=2.0)))
    yield made
    made.close()


def sent(transport: RequestsTransport, request: HttpRequest) -> Received:
    with serving(Say()) as server:
        transport.send(replace(request, url=server.url), provider="stability", operation=Operation.GENERATE)
        (received,) = server.received
    return received


def parts_of(received: Received) -> list[Message]:
    head = f"Content-Type: {received.headers['content-type']}\r\n\r\n".encode()
    message = message_from_bytes(head + received.body)
    assert message.get_content_type() == "multipart/form-data"
    parts = message.get_payload()
    assert isinstance(parts, list)
    return [part for part in parts if isinstance(part, Message)]


def multipart(*parts: FormPart) -> HttpRequest:
    return HttpRequest("POST", "http://x/", {"Authorization": "Bearer k"}, parts=parts)


def test_parts_become_multipart_with_the_texts_first_in_the_given_order(transport: RequestsTransport) -> None:
    request = multipart(PICTURE, FormPart("prompt", "café"), FormPart("seed", "7"))
    parts = parts_of(sent(transport, request))
    assert [part.get_param("name", header="content-disposition") for part in parts] == [
        "prompt",
        "seed",
        "image",
    ]
    assert parts[0].get_payload(decode=True) == "café".encode()
    assert parts[2].get_payload(decode=True) == PICTURE.value


def test_a_plain_field_has_neither_a_filename_nor_a_type_and_a_file_has_both(
    transport: RequestsTransport,
) -> None:
    prompt, image = parts_of(sent(transport, multipart(FormPart("prompt", "a fox"), PICTURE)))
    assert (prompt.get_filename(), prompt["content-type"]) == (None, None)
    assert (image.get_filename(), image["content-type"]) == ("in.png", "image/png")


def test_parts_are_multipart_even_without_a_file(transport: RequestsTransport) -> None:
    (prompt,) = parts_of(sent(transport, multipart(FormPart("prompt", "a fox"))))
    assert prompt.get_payload() == "a fox"


def test_a_name_cannot_break_out_of_its_header(transport: RequestsTransport) -> None:
    evil = FormPart('a"\r\nX-Evil: 1\r\n\r\n', b"x", 'f"\r\nX-Evil: 1', "image/png")
    (part,) = parts_of(sent(transport, multipart(evil)))
    assert part["x-evil"] is None
    assert part.get_payload() == "x"


def test_a_media_type_that_cannot_be_a_header_is_refused_unsent() -> None:
    part = FormPart("image", b"x", "f.png", "image/png\r\nX-Evil: 1")
    with pytest.raises(InvalidError, match="media type of image"):
        encoded_body(multipart(part))


def test_the_boundary_is_ours_whatever_type_the_headers_name(transport: RequestsTransport) -> None:
    request = HttpRequest(
        "POST", "", {"content-type": "application/json"}, parts=(FormPart("prompt", "a fox"),)
    )
    assert len(parts_of(sent(transport, request))) == 1


def test_a_form_is_urlencoded(transport: RequestsTransport) -> None:
    fields = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": "a+b/c=&é"}
    received = sent(transport, HttpRequest("POST", "", form=fields))
    assert received.headers["content-type"] == "application/x-www-form-urlencoded"
    assert dict(parse_qsl(received.body.decode())) == fields


def test_an_empty_form_is_still_a_form() -> None:
    assert encoded_body(HttpRequest("POST", "", form={})) == (b"", "application/x-www-form-urlencoded")


@pytest.mark.parametrize(
    "request_of_two",
    [
        HttpRequest("POST", "", json_body={}, form={}),
        HttpRequest("POST", "", json_body={}, parts=(PICTURE,)),
        HttpRequest("POST", "", form={"a": "b"}, parts=(PICTURE,)),
    ],
)
def test_a_request_with_two_bodies_is_refused_unsent(request_of_two: HttpRequest) -> None:
    with pytest.raises(ConfigurationError, match="one body"):
        encoded_body(request_of_two)


@pytest.mark.parametrize(
    "request_of_half_a_character",
    [
        HttpRequest("POST", "", form={"a": "\ud83e"}),
        HttpRequest("POST", "", parts=(FormPart("a", "\ud83e"),)),
    ],
)
def test_half_a_character_is_refused_unsent(request_of_half_a_character: HttpRequest) -> None:
    with pytest.raises(InvalidError, match="cannot be written"):
        encoded_body(request_of_half_a_character)


def test_parts_are_hidden_in_what_is_logged() -> None:
    request = HttpRequest("POST", "", form={"assertion": "secret"}, parts=(FormPart("prompt", "a secret"),))
    assert "secret" not in repr(request)


def test_a_large_body_may_take_longer_to_send_than_a_connection_to_open() -> None:
    """The peer reads nothing for longer than the limit for connecting; its buffers are full long before."""

    limits = Limits(connect=0.05, read=3.0, total=5.0)
    transport = RequestsTransport(limits=dict.fromkeys(Operation, limits))
    with serving(Say()) as server:
        server.seconds_before_body = 0.3
        body = FormPart("image", bytes(32 * 1024 * 1024), "in.bin", "application/octet-stream")
        request = HttpRequest("POST", server.url, parts=(body,))
        answer = transport.send(request, provider="stability", operation=Operation.GENERATE)
    assert answer.status == 200


def test_a_synchronous_submit_is_sent_once_and_given_up_after_its_own_limit() -> None:
    quick, long = Limits(connect=0.3, read=0.1, total=0.2), Limits(connect=0.3, read=0.4, total=0.6)
    transport = RequestsTransport(limits={**dict.fromkeys(Operation, quick), Operation.GENERATE: long})
    with serving(never_answer) as server:
        begun = time.monotonic()
        with pytest.raises(TransportError) as caught:
            transport.send(
                HttpRequest("POST", server.url, json_body={}), provider="openai", operation=Operation.GENERATE
            )
        assert 0.35 < time.monotonic() - begun < 5
        assert len(server.received) == 1
    assert caught.value.delivery is Delivery.UNKNOWN
