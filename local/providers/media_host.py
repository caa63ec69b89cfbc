"""The media host of all simulated providers: one port, paths that cannot be guessed, a note of keys that arrive."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from local.providers.access import world_of
from local.providers.request_log import KEY_HEADERS
from local.providers.world import World
from local.simulation.file_answer import answer_file


async def get_media(request: Request) -> Response:
    """``GET /xezq/{key}/{name}``: no key is needed here; one that arrives is noted as a leak."""
    world = world_of(request)
    world.media_log.append(
        {
            "method": request.method,
            "path": request.url.path,
            "range": request.headers.get("range"),
            "credentials": sorted(KEY_HEADERS & set(request.headers)),
        }
    )
    task, item = world.media.get(request.path_params["key"], (None, None))
    if task is None or item is None or item.name != request.path_params["name"]:
        return PlainTextResponse("Not Found", 404)
    if "expired-output" in item.faults:
        return PlainTextResponse("Not Found", 404)
    return answer_file(request, item, task.id)


def make_media_app(world: World) -> Starlette:
    """The media host as an ASGI application."""
    app = Starlette(routes=[Route("/xezq/{key}/{name}", get_media, methods=["GET", "HEAD"])])
    app.state.world = world
    return app
