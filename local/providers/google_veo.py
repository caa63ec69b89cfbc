"""A simulated Vertex AI: access tokens for signed assertions, and Veo's long-running predictions.

``[sim:nsfw]`` is a video that was held back, ``[sim:nsfw=prompt]`` a prompt that is refused at once.
Source: docs.cloud.google.com/vertex-ai (Veo's model reference), developers.google.com/identity (service accounts).
"""

import secrets
from typing import Any
from urllib.parse import parse_qs

import jwt
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from local.providers.access import bearer_key, world_of
from local.providers.google_account import EMAIL, PROJECT, key_file, public_key
from local.providers.google_answers import base64_of, error_answer, google_error
from local.providers.refusals import lost_answer, refuse
from local.providers.tasks import Status, Task
from local.providers.world import World, fingerprint, hash_of

NAME = "google_veo"
SCOPE = "https://www.googleapis.com/auth/cloud-platform"
GRANT_TYPE = "urn:ietf:params:oauth:grant-type:jwt-bearer"
TOKEN_SECONDS = 3599
GOOGLES_AUDIENCE = "https://oauth2.googleapis.com/token"
MODELS = ("veo-3.1-generate-001", "veo-3.1-fast-generate-001", "veo-3.1-lite-generate-001")
MOST_REFERENCES, MAX_SEED = 3, 4_294_967_295
SHORT_SIDES = {"720p": 720, "1080p": 1080, "4k": 2160}
CHOICES: dict[str, tuple[object, ...]] = {
    "durationSeconds": (4, 6, 8),
    "aspectRatio": ("16:9", "9:16"),
    "resolution": tuple(SHORT_SIDES),
    "sampleCount": (1, 2, 3, 4),
    "personGeneration": ("allow_adult", "dont_allow", "allow_all"),
    "compressionQuality": ("optimized", "lossless"),
    "resizeMode": ("crop", "pad"),
    "generateAudio": (True, False),
    "enhancePrompt": (True, False),
}
GUIDELINES = (
    "The prompt could not be submitted. This prompt contains words that violate Vertex AI's usage guidelines. "
    "Support codes: 58061214"
)
RESPONSE_TYPE = "type.googleapis.com/cloud.ai.large_models.vision.GenerateVideoResponse"
_MODEL_PATH = "/v1/projects/{project}/locations/{location}/publishers/google/models/{model}"


def __getattr__(name: str) -> str:
    """``LOCAL_KEY`` takes a moment to work out, and is worked out when it is asked for."""
    if name == "LOCAL_KEY":
        return key_file()
    raise AttributeError(name)


def addresses(url: str) -> dict[str, str]:
    """Tokens and predictions come from one port here."""
    return {"base_url": url, "token_url": f"{url}/token"}


def routes(_world: World) -> list[BaseRoute]:
    """The token endpoint's path and Vertex AI's."""
    return [
        Route("/token", give_token, methods=["POST"]),
        Route(f"{_MODEL_PATH}:predictLongRunning", predict, methods=["POST"]),
        Route(f"{_MODEL_PATH}:fetchPredictOperation", fetch, methods=["POST"]),
        Route("/v1/publishers/google/models/{model}", get_model),
    ]


async def give_token(request: Request) -> Response:
    """``POST /token``: an access token for an assertion that this account has signed, for this very address."""
    form = {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}
    if form.get("grant_type") != GRANT_TYPE:
        return _no_token("unsupported_grant_type", "Invalid grant_type: " + form.get("grant_type", ""))
    try:
        claims = jwt.decode(
            form.get("assertion", ""),
            public_key(),
            algorithms=["RS256"],
            audience=[
                str(request.url),
                GOOGLES_AUDIENCE,
            ],  # the official client names Google whatever it asks
            issuer=EMAIL,
            options={"require": ["exp", "iat"]},
        )
    except jwt.PyJWTError as error:
        return _no_token("invalid_grant", f"Invalid JWT: {error}")
    if SCOPE not in str(claims.get("scope", "")).split():
        return _no_token("invalid_scope", "Invalid OAuth scope or ID token audience provided.")
    if claims["exp"] - claims["iat"] > TOKEN_SECONDS + 1:
        return _no_token("invalid_grant", "Invalid JWT: Token must be a short-lived token.")
    token = f"ya29.sim-{secrets.token_urlsafe(24)}"
    _tokens(world_of(request)).add(fingerprint(token))
    return JSONResponse({"access_token": token, "expires_in": TOKEN_SECONDS, "token_type": "Bearer"})


async def get_model(request: Request) -> Response:
    """``GET .../models/{model}``."""
    if answer := _refused(request):
        return answer
    model = request.path_params["model"]
    return JSONResponse(
        {"name": f"publishers/google/models/{model}", "versionId": "default", "launchStage": "GA"}
    )


async def predict(request: Request) -> Response:
    """``POST .../models/{model}:predictLongRunning``: an operation, its input checked field by field."""
    world = world_of(request)
    if answer := _refused(request):
        return answer
    body = await request.json()
    faults = world.faults(NAME, body)
    path = request.path_params
    if answer := refuse(world, faults, error_answer, key=f"{path['project']}:{hash_of(body)}"):
        return answer
    instances, parameters = body.get("instances") or [{}], body.get("parameters") or {}
    prompt = instances[0].get("prompt", "")
    if wrong := wrong_input(path["model"], instances[0], parameters):
        return google_error(400, wrong)
    if faults.text("nsfw", "") == "prompt":
        return google_error(400, GUIDELINES)
    width, height = _size(parameters)
    task = world.start(
        provider=NAME,
        account=path["project"],
        kind="video",
        prompt=prompt,
        seed=parameters.get("seed"),
        count=parameters.get("sampleCount", 1),
        width=width,
        height=height,
        seconds=float(parameters.get("durationSeconds", 8)),
        faults=faults,
        facts={"parent": _parent(request)},
    )
    if "accept-no-answer" in faults:
        return lost_answer(world)
    return JSONResponse({"name": _name(task)})


async def fetch(request: Request) -> Response:
    """``POST .../models/{model}:fetchPredictOperation``: how an operation of this model stands."""
    world = world_of(request)
    if answer := _refused(request):
        return answer
    name = str((await request.json()).get("operationName", ""))
    task = world.own(NAME, request.path_params["project"], name.rpartition("/")[2])
    if task is None or name != _name(task) or task.facts["parent"] != _parent(request):
        return google_error(404, "Operation not found.")
    if answer := refuse(world, task.faults, error_answer, key=task.id, prefix="get-"):
        return answer
    return JSONResponse(show(task))


def show(task: Task) -> dict[str, Any]:
    """The operation; ``done`` is left out until it is."""
    shown: dict[str, Any] = {"name": _name(task)}
    if task.is_odd:
        return {**shown, "done": "perhaps"}
    if not task.status.is_final:
        return shown
    if task.status is Status.SUCCEEDED:
        videos = [
            {"bytesBase64Encoded": base64_of(file), "mimeType": file.content_type} for file in task.files
        ]
        response: dict[str, Any] = {"videos": videos, "raiMediaFilteredCount": 0}
    elif task.refused:
        response = {"raiMediaFilteredCount": task.wish.count, "raiMediaFilteredReasons": [task.error]}
    else:
        return {**shown, "done": True, "error": {"code": 13, "message": task.error}}
    return {**shown, "done": True, "response": {"@type": RESPONSE_TYPE, **response}}


def _refused(request: Request) -> Response | None:
    """The token first, then the project and the model."""
    if fingerprint(bearer_key(request)) not in _tokens(world_of(request)):
        return google_error(401, reason="ACCESS_TOKEN_TYPE_UNSUPPORTED")
    path = request.path_params
    if path.get("project", PROJECT) != PROJECT:
        words = f"Permission 'aiplatform.endpoints.predict' denied on resource 'projects/{path['project']}'."
        return google_error(403, words, reason="IAM_PERMISSION_DENIED")
    if path["model"] not in MODELS:
        return google_error(404, f"Publisher Model `publishers/google/models/{path['model']}` was not found.")
    return None


def wrong_input(model: str, instance: dict[str, Any], parameters: dict[str, Any]) -> str:
    """What is wrong with the input; empty if nothing is."""
    wrong_media = _wrong_media(instance)
    return wrong_media or _wrong_choice(parameters) or _wrong_together(model, instance, parameters)


def _wrong_media(instance: dict[str, Any]) -> str:
    if not any(instance.get(name) for name in ("prompt", "image", "video")):
        return "Either a prompt, an image or a video must be given."
    for name in ("image", "lastFrame", "video"):
        given = instance.get(name)
        if given is not None and not (given.get("bytesBase64Encoded") or given.get("gcsUri")):
            return f"{name} has neither bytesBase64Encoded nor gcsUri."
        if given is not None and not given.get("mimeType"):
            return f"{name} has no mimeType."
    references = instance.get("referenceImages") or []
    if len(references) > MOST_REFERENCES:
        return f"At most {MOST_REFERENCES} reference images can be given."
    if any(str(one.get("referenceType")).lower() not in ("asset", "style") for one in references):
        return "referenceType must be one of asset, style."
    return ""


def _wrong_choice(parameters: dict[str, Any]) -> str:
    for name, choices in CHOICES.items():
        given = parameters.get(name)
        if given is not None and (given.lower() if isinstance(given, str) else given) not in choices:
            return f"{name} must be one of {', '.join(map(str, choices))}."
    seed = parameters.get("seed", 0)
    if not isinstance(seed, int) or isinstance(seed, bool) or not 0 <= seed <= MAX_SEED:
        return f"seed must be an integer from 0 to {MAX_SEED}."
    return ""


def _wrong_together(model: str, instance: dict[str, Any], parameters: dict[str, Any]) -> str:
    resolution, short = parameters.get("resolution", "720p"), parameters.get("durationSeconds", 8) != 8
    if resolution in ("1080p", "4k") and short:
        return "Unsupported output resolution for the given duration."
    if resolution == "4k" and "lite" in model:
        return f"4k is not supported by {model}."
    if short and (instance.get("referenceImages") or instance.get("video")):
        return "durationSeconds must be 8 with reference images or a video."
    if instance.get("video") and resolution != "720p":
        return "A video can be extended at 720p only."
    return ""


def _size(parameters: dict[str, Any]) -> tuple[int, int]:
    short = SHORT_SIDES[parameters.get("resolution", "720p")]
    long = short * 16 // 9
    return (short, long) if parameters.get("aspectRatio") == "9:16" else (long, short)


def _parent(request: Request) -> str:
    return _MODEL_PATH.removeprefix("/v1/").format(**request.path_params)


def _name(task: Task) -> str:
    return f"{task.facts['parent']}/operations/{task.id}"


def _tokens(world: World) -> set[str]:
    tokens: set[str] = world.facts.setdefault(f"{NAME}:tokens", set())
    return tokens


def _no_token(error: str, description: str) -> Response:
    return JSONResponse({"error": error, "error_description": description}, 400)
