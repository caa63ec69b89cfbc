"""A job as one model would make it: what it is sent, what it costs, and what the caller is told."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from lib.domain.catalogue import Catalogue
from lib.domain.errors import InvalidError
from lib.domain.model_config import ModelConfig
from lib.domain.model_input import build_input
from lib.domain.parameters import Parameters, validate_parameters
from lib.domain.pricing import Quote, UnpricedModels, quote
from lib.domain.standard_request import StandardRequest, refused
from lib.domain.translate import Translation, translate


@dataclass(frozen=True)
class Alternative:
    """One model's way to make a job.

    `given` are the parameters as a caller would send them to this model, `parameters` those with its defaults,
    `input` is what its provider is sent; `told` are warnings of the translation, `warnings` all of them.
    """

    model: ModelConfig
    given: Mapping[str, Any]
    parameters: Mapping[str, Any]
    input: Mapping[str, Any]
    quote: Quote
    told: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def native_alternative(
    model: ModelConfig, given: Mapping[str, Any], unpriced: UnpricedModels = UnpricedModels.REFUSED
) -> Alternative:
    """The job with parameters of the model's own. Raises InvalidError: they do not fit, or the price is not known."""
    return _priced(model, given, validate_parameters(model, given), unpriced)


def standard_alternative(
    translation: Translation, unpriced: UnpricedModels = UnpricedModels.REFUSED
) -> Alternative:
    """The job of a standard request. Raises InvalidError: the model cannot make it, or its price is not known."""
    if translation.given is None or translation.parameters is None:
        raise refused(list(translation.errors))
    made = _priced(translation.model, translation.given, translation.parameters, unpriced)
    return replace(made, told=translation.warnings, warnings=(*translation.warnings, *made.warnings))


def plan_alternatives(
    catalogue: Catalogue,
    model: ModelConfig,
    asked: Mapping[str, Any] | StandardRequest,
    limit: Quote,
    unpriced: UnpricedModels = UnpricedModels.REFUSED,
) -> tuple[Alternative, ...]:
    """The model's fallbacks, in order, that can make the same job for no more than the first quote.

    Native parameters fit another model only under the same names and with values that it takes; a standard request
    is translated anew. Those that cannot are left out.
    """
    found = []
    for model_id in model.fallbacks:
        other = catalogue.get_model_config(model_id)
        if other.media_type is not model.media_type:
            continue
        try:
            made = (
                standard_alternative(translate(asked, other), unpriced)
                if isinstance(asked, StandardRequest)
                else native_alternative(other, asked, unpriced)
            )
        except InvalidError:
            continue
        if made.quote.is_within(limit):
            found.append(made)
    return tuple(found)


def _priced(
    model: ModelConfig, given: Mapping[str, Any], parameters: Parameters, unpriced: UnpricedModels
) -> Alternative:
    price = quote(model, parameters, unpriced)
    return Alternative(
        model=model,
        given=given,
        parameters=parameters.values,
        input=build_input(model, parameters),
        quote=price,
        warnings=(*parameters.warnings, *price.warnings),
    )
