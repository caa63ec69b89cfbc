"""The API port as an ASGI application: Replicate's routes under ``/v1`` and the control routes."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.replicate import file_routes, model_routes, reads, submit
from local.replicate.control import CONTROL_ROUTES
from local.replicate.engine import Engine
from local.replicate.problems import ERROR_MEDIA_TYPE, ApiProblemError, not_found
from local.replicate.world import World

MODEL = "/v1/models/{owner}/{name}"

ROUTES = [
    Route("/v1/account", reads.get_account),
    Route("/v1/hardware", reads.list_hardware),
    Route("/v1/webhooks/default/secret", reads.get_webhook_secret),
    Route("/v1/predictions", reads.list_predictions),
    Route("/v1/predictions", submit.create_prediction, methods=["POST"]),
    Route("/v1/predictions/{id}", reads.get_prediction),
    Route("/v1/predictions/{id}/cancel", reads.cancel_prediction, methods=["POST"]),
    Route("/v1/streams/{id}", reads.stream_prediction),
    Route("/v1/models", model_routes.list_models, methods=["GET", "QUERY"]),
    Route(MODEL, model_routes.get_model),
    Route(f"{MODEL}/predictions", submit.create_model_prediction, methods=["POST"]),
    Route(f"{MODEL}/versions", model_routes.list_versions),
    Route(f"{MODEL}/versions/{{id}}", model_routes.get_version),
    Route(f"{MODEL}/examples", model_routes.list_examples),
    Route(f"{MODEL}/readme", model_routes.get_readme),
    Route("/v1/files", file_routes.list_files),
    Route("/v1/files", file_routes.create_file, methods=["POST"]),
    Route("/v1/files/{id}", file_routes.get_file),
    Route("/v1/files/{id}", file_routes.delete_file, methods=["DELETE"]),
    Route("/v1/files/{id}/download", file_routes.download_file),
]


def make_api_app(world: World, engine: Engine) -> Starlette:
    """The API over this state; the engine lives the predictions."""
    app = Starlette(
        routes=[*ROUTES, *CONTROL_ROUTES],
        exception_handlers={ApiProblemError: _show_problem, 404: _show_missing},
    )
    app.state.world, app.state.engine = world, engine
    return app


async def _show_problem(_request: Request, error: Exception) -> Response:
    assert isinstance(error, ApiProblemError)  # noqa: S101 - registered for nothing else
    return JSONResponse(error.body, error.status, headers=error.headers, media_type=ERROR_MEDIA_TYPE)


async def _show_missing(request: Request, _error: Exception) -> Response:
    return await _show_problem(request, not_found())
