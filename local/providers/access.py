"""Whom a request reaches, and whose key it carries."""

from typing import cast

from starlette.requests import Request

from local.providers.world import World


def world_of(request: Request) -> World:
    """The state that the application was made with."""
    return cast("World", request.app.state.world)


def provider_of(request: Request) -> str:
    """Whose port it is."""
    return cast("str", request.app.state.provider)


def bearer_key(request: Request) -> str:
    """The key in ``Authorization: Bearer``; empty without one."""
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    return key if scheme.lower() == "bearer" else ""
