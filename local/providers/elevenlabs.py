"""Simulates ElevenLabs: speech, effects and music as bytes, its three forms of errors, five requests at once.

``[sim:nsfw]`` is a prompt that is refused (400 bad_prompt); ``[sim:402=old]`` is a used-up quota in the older form,
which comes with 401. Raw µ-law and A-law are not simulated.
"""

from collections import Counter
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from local.providers import elevenlabs_wishes as wishes
from local.providers.elevenlabs_errors import by_status, old_refusal, refusal, request_id
from local.providers.elevenlabs_wishes import DEFAULT_FORMAT, VOICES, Reading, Wish, format_of
from local.providers.inline import file_bytes, silence_or_end
from local.providers.refusals import refuse
from local.providers.tasks import Status, Task
from local.providers.world import World, fingerprint, hash_of
from local.simulation.faults import FaultSet

NAME = "elevenlabs"
LOCAL_KEY = "sk_simulated_elevenlabs"
KEY_PREFIX, INVALID_PREFIX = "sk_", "sk_invalid"
AT_ONCE = 5
Answer = Callable[[Request, World, str], Awaitable[Response]]


def routes(world: World) -> list[BaseRoute]:
    """ElevenLabs's paths over this state."""
    busy: Counter[str] = Counter()
    making = {
        "/v1/text-to-speech/{voice_id}": wishes.speech,
        "/v1/sound-generation": wishes.sound,
        "/v1/music": wishes.music,
    }
    posts = [
        Route(path, _guarded(world, partial(_make, reading, busy)), methods=["POST"])
        for path, reading in making.items()
    ]
    return [
        *posts,
        Route("/v1/user/subscription", _guarded(world, _subscription)),
        Route("/v1/models", _guarded(world, _models)),
        Route("/v1/voices", _guarded(world, _voices)),
        Route("/v2/voices", _guarded(world, _voices)),
    ]


def addresses(url: str) -> dict[str, str]:
    """The adapter's address for a simulator at ``url``."""
    return {"base_url": url}


def _guarded(world: World, answer: Answer) -> Callable[[Request], Awaitable[Response]]:
    async def guarded(request: Request) -> Response:
        key = request.headers.get("xi-api-key", "")
        if not key:
            return refusal("authentication_error", "missing_api_key", "The header xi-api-key is missing.")
        if not key.startswith(KEY_PREFIX) or key.startswith(INVALID_PREFIX):
            return refusal("authentication_error", "invalid_api_key", "Invalid API key")
        return await answer(request, world, fingerprint(key))

    return guarded


async def _make(
    reading: Reading, busy: "Counter[str]", request: Request, world: World, account: str
) -> Response:
    try:
        body = await request.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        return refusal("validation_error", "invalid_parameters", "The body is no JSON object.")
    faults = world.faults(NAME, body)
    answer = _unknown_voice(request) or _faulty(world, faults, body)
    if answer:
        return answer
    made = format_of(request.query_params.get("output_format", DEFAULT_FORMAT), music=reading is wishes.music)
    wish = reading(body)
    if isinstance(made, Response):
        return made
    if isinstance(wish, Response):
        return wish
    if busy[account] >= AT_ONCE:
        words = f"Too many concurrent requests: your plan allows {AT_ONCE}."
        return refusal("rate_limit_error", "concurrent_limit_exceeded", words)
    busy[account] += 1
    try:
        task = _start(world, account, wish, made, faults)
        return await silence_or_end(world, task) or _finished(task, wish, busy[account])
    finally:
        busy[account] -= 1


def _unknown_voice(request: Request) -> Response | None:
    voice = request.path_params.get("voice_id")
    if voice is None or voice in VOICES:
        return None
    return refusal(
        "not_found", "voice_not_found", f"A voice with ID {voice} was not found.", param="voice_id"
    )


def _faulty(world: World, faults: FaultSet, body: dict[str, Any]) -> Response | None:
    if faults.text("402", "") == "old":
        return old_refusal(401, "quota_exceeded", "This request exceeds your quota.")
    if "nsfw" in faults:
        suggestion = {"prompt_suggestion": "a gentle waltz"}
        return old_refusal(400, "bad_prompt", faults.text("nsfw", "The prompt was refused."), data=suggestion)
    return refuse(world, faults, by_status, key=hash_of(body))


def _start(world: World, account: str, wish: Wish, made: tuple[str, int], faults: FaultSet) -> Task:
    extension, rate = made
    return world.start(
        provider=NAME,
        account=account,
        kind="audio",
        prompt=wish.prompt,
        seed=wish.seed,
        seconds=wish.seconds,
        format=extension,
        rate=rate,
        faults=faults,
    )


def _finished(task: Task, wish: Wish, running: int) -> Response:
    if task.status is not Status.SUCCEEDED:
        return refusal("internal_error", "internal_error", task.error or "An unexpected error occurred.")
    headers = {
        "request-id": request_id(),
        "character-cost": str(wish.credits),
        "current-concurrent-requests": str(running),
        "maximum-concurrent-requests": str(AT_ONCE),
        "x-simulated": task.id,
    }
    return file_bytes(task.files[0], headers)


async def _subscription(_request: Request, _world: World, _account: str) -> Response:
    return JSONResponse(
        {
            "tier": "creator",
            "character_count": 1200,
            "character_limit": 100_000,
            "can_extend_character_limit": False,
            "allowed_to_extend_character_limit": False,
            "voice_slots_used": len(VOICES),
            "professional_voice_slots_used": 0,
            "voice_limit": 30,
            "voice_add_edit_counter": 0,
            "professional_voice_limit": 1,
            "can_extend_voice_limit": False,
            "can_use_instant_voice_cloning": True,
            "can_use_professional_voice_cloning": True,
            "status": "active",
        }
    )


async def _models(_request: Request, _world: World, _account: str) -> Response:
    return JSONResponse(
        [
            {
                "model_id": model,
                "name": model,
                "can_do_text_to_speech": True,
                "maximum_text_length_per_request": limit,
            }
            for model, limit in wishes.TEXT_LIMITS.items()
        ]
    )


async def _voices(_request: Request, _world: World, _account: str) -> Response:
    voices = [{"voice_id": voice, "name": name, "category": "premade"} for voice, name in VOICES.items()]
    return JSONResponse({"voices": voices, "has_more": False, "total_count": len(voices)})
