"""The gateway: one interface to all providers."""
# ruff: noqa: PLC0415 - see the package

from functools import cache
from typing import TYPE_CHECKING

from lib import bootstrap

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lib.domain.caller import Caller
    from lib.domain.credential import StoredCredential
    from lib.domain.pricing import UnpricedModels
    from lib.domain.snapshot import JobSnapshot
    from lib.services.choose_key import ChooseKey
    from lib.services.choose_model import ChooseModel
    from lib.services.gateway import Gateway
    from lib.services.list_providers import ListProviders
    from lib.services.plan_alternatives import PlanAlternatives


@cache
def gateway() -> "Gateway":
    """The operations; each builds what it needs."""
    from lib.services.gateway import Gateway, GatewayParts

    return Gateway(
        GatewayParts(
            catalogue=bootstrap.catalogue,
            adapter=bootstrap.adapter,
            titles=bootstrap.provider_titles,
            generate=bootstrap.generate_media,
            choose=bootstrap.choose_model,
            providers=bootstrap.list_providers,
            job_at_provider=_job_at_provider,
            cancel=lambda caller, job_id: bootstrap.cancel_job().cancel(caller.user_id, job_id),
            test=lambda caller, name: bootstrap.check_credential().own(caller, name),
            unpriced=bootstrap.unpriced_models,
        )
    )


def unpriced_models() -> "UnpricedModels":
    """What is done with models whose price is not set."""
    from lib import work_settings as w
    from lib.domain.pricing import UnpricedModels

    return UnpricedModels(bootstrap.settings(w.ModelsSettings).unpriced_models)


def provider_titles() -> "Mapping[str, str]":
    """The providers that there are, by what people call them."""
    return {name: registration.title for name, registration in bootstrap.registrations().items()}


@cache
def choose_key() -> "ChooseKey":
    """Says whose key holds for a model and a caller."""
    from lib.services.choose_key import ChooseKey

    return ChooseKey(lambda name: bootstrap.adapter(name).traits, bootstrap.has_platform_key)


@cache
def choose_model() -> "ChooseModel":
    """Chooses where a request names no model."""
    from lib.services.choose_model import ChooseModel

    return ChooseModel(
        catalogue=bootstrap.catalogue(),
        policy=bootstrap.choose_key(),
        own_keys=_own_keys,
        is_shut=lambda name, version, user_id: bootstrap.flow_control().is_shut(
            name, version, user_id, bootstrap.clock()
        ),
        unpriced=bootstrap.unpriced_models(),
    )


@cache
def plan_alternatives() -> "PlanAlternatives":
    """Plans what may be tried if a model fails."""
    from lib.services.plan_alternatives import PlanAlternatives

    return PlanAlternatives(
        catalogue=bootstrap.catalogue(),
        adapter=bootstrap.adapter,
        policy=bootstrap.choose_key(),
        unpriced=bootstrap.unpriced_models(),
    )


@cache
def list_providers() -> "ListProviders":
    """Lists providers as they stand for a caller."""
    from lib.services.list_providers import ListProviders

    return ListProviders(
        titles=bootstrap.provider_titles(),
        catalogue=bootstrap.catalogue(),
        traits=lambda name: bootstrap.adapter(name).traits,
        own_keys=_own_keys,
        has_platform_key=bootstrap.has_platform_key,
    )


def _own_keys(caller: "Caller") -> "Mapping[str, StoredCredential]":
    return bootstrap.credential_vault().list(caller)


def _job_at_provider(caller: "Caller", name: str, provider_job_id: str) -> "JobSnapshot | None":
    from lib.stores.postgres.repositories.provider_jobs import find_at_provider

    return find_at_provider(bootstrap.record_connection(), caller.user_id, name, provider_job_id)
