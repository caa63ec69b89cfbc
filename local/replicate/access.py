"""Who is asking, and what the body says."""

import json
from typing import Any, cast

from starlette.requests import Request

from local.replicate.prediction import Prediction
from local.replicate.problems import bad_request, not_found, unauthenticated
from local.replicate.settings import DEFAULT_TOKEN
from local.replicate.world import World, fingerprint

TOKEN_PREFIX = "r8_"  # noqa: S105 - how Replicate's tokens begin
INVALID_PREFIX = "r8_invalid"


def world_of(request: Request) -> World:
    """The state that the application was made with."""
    return cast("World", request.app.state.world)


def base_of(request: Request) -> str:
    """The address under which the client reached the API: links lead back the same way."""
    return f"{request.url.scheme}://{request.url.netloc}"


def token_fingerprint(request: Request) -> str | None:
    """A short name for the token that came with the request, or None without one."""
    token = _token(request)
    return fingerprint(token) if token else None


def authenticate(request: Request) -> str:
    """The account of the token; each token is an account of its own. Raises 401 as Replicate words it."""
    token = _token(request)
    if not token.startswith(TOKEN_PREFIX) or token.startswith(INVALID_PREFIX):
        raise unauthenticated(passed=bool(token))
    return fingerprint(token)


def account_name(account: str) -> str:
    """The user name of an account."""
    return "simulator" if account == fingerprint(DEFAULT_TOKEN) else f"simulator-{account[:6]}"


def own_prediction(request: Request) -> Prediction:
    """The prediction of the path; 404 if there is none or it is another account's."""
    account = authenticate(request)
    prediction = world_of(request).predictions.get(request.path_params["id"])
    if prediction is None or prediction.account != account:
        raise not_found()
    return prediction


async def json_body(request: Request) -> dict[str, Any]:
    """The body as an object; raises 400 if it is anything else."""
    try:
        body = json.loads(await request.body())
    except ValueError as error:
        raise bad_request(f"The request body is not JSON: {error}") from error
    if not isinstance(body, dict):
        raise bad_request("The request body must be a JSON object.")
    return body


def _token(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() in ("bearer", "token") else ""
