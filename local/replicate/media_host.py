"""The second port: output files as replicate.delivery serves them, and a record of who asked with what."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from local.replicate.access import token_fingerprint, world_of
from local.replicate.prediction import iso
from local.replicate.world import World
from local.simulation.file_answer import answer_file


async def get_media(request: Request) -> Response:
    """``GET /xezq/{key}/{name}``: no token is needed here; one that arrives is noted as a leak."""
    world = world_of(request)
    _note(request, world)
    prediction, item = world.media.get(request.path_params["key"], (None, None))
    if prediction is None or item is None or item.name != request.path_params["name"]:
        return PlainTextResponse("Not Found", 404)
    if "expired-output" in item.faults or prediction.is_purged(world.now(), world.retention_seconds):
        return PlainTextResponse("Not Found", 404)
    return answer_file(request, item, prediction.id)


def make_media_app(world: World) -> Starlette:
    """The media host as an ASGI application."""
    app = Starlette(routes=[Route("/xezq/{key}/{name}", get_media, methods=["GET", "HEAD"])])
    app.state.world = world
    return app


def _note(request: Request, world: World) -> None:
    world.media_log.append(
        {
            "at": iso(world.now()),
            "method": request.method,
            "path": request.url.path,
            "range": request.headers.get("range"),
            "authorization": "authorization" in request.headers,
            "token": token_fingerprint(request),
        }
    )
