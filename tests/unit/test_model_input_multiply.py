"""A number of ours that the model wants in another unit."""

import json
from typing import Any

import pytest

from lib.domain.catalogue import Catalogue, load_models_config
from lib.domain.errors import ConfigurationError
from lib.domain.model_input import build_input
from lib.domain.parameters import validate_parameters


def catalogue(schema: dict[str, Any], rule: dict[str, Any]) -> Catalogue:
    entry = {
        "version": "o/m",
        "estimatedTime": 1,
        "params": {"duration": schema},
        "map": {"duration": rule},
    }
    return load_models_config(json.dumps({"audio": {"one": entry}}))


@pytest.mark.parametrize(("seconds", "sent"), [(3, 3000), (2.3, 2300), (0.0004, 0.4), (600.0, 600_000)])
def test_seconds_are_sent_as_milliseconds_exactly(seconds: float, sent: float) -> None:
    model = catalogue({"type": "number"}, {"to": "length.ms", "multiply": 1000}).get_model_config("one")
    built = build_input(model, validate_parameters(model, {"duration": seconds}))
    assert built == {"length": {"ms": sent}}
    assert isinstance(built["length"]["ms"], type(sent))


def test_what_is_multiplied_is_a_number_and_has_no_list_of_values() -> None:
    with pytest.raises(ConfigurationError, match="must be a number by its schema"):
        catalogue({"type": "string"}, {"to": "ms", "multiply": 1000})
    with pytest.raises(ConfigurationError):
        catalogue({"type": "number"}, {"to": "ms", "multiply": 1000, "values": [[1, 1000]]})
    with pytest.raises(ConfigurationError):
        catalogue({"type": "number"}, {"to": "ms", "multiply": 0})
