"""Numbers that no float can be are no trouble in what a provider says."""

import json
import math

import pytest

from lib.domain.http_exchange import HttpResponse
from lib.providers.answers import json_object
from lib.providers.google_veo import GoogleVeoAdapter
from lib.providers.runway import RunwayAdapter
from lib.providers.stability import StabilityAdapter


def answer(**document: object) -> HttpResponse:
    return HttpResponse(200, {"content-type": "application/json"}, json.dumps(document).encode())


@pytest.mark.parametrize("digits", [400, 5000])
def test_an_integer_beyond_all_floats_is_infinite_and_what_stands_beside_it_is_read(digits: int) -> None:
    found = json_object(b'{"a": -%s, "b": 7}' % (b"9" * digits))
    assert found == {"a": -math.inf, "b": 7}


def test_no_reader_of_numbers_raises() -> None:
    huge = 10**400
    task = {"id": "17f20503-6c24-4c16-946b-35dbbce2af2f", "status": "RUNNING", "progress": huge}
    assert RunwayAdapter().parse_poll(answer(**task)).progress == 1.0
    assert RunwayAdapter().parse_test(answer(creditBalance=huge))
    assert StabilityAdapter().parse_test(answer(credits=huge))
    assert GoogleVeoAdapter().parse_token(answer(access_token="ya29.a", expires_in=huge)) == (
        "ya29.a",
        math.inf,
    )
