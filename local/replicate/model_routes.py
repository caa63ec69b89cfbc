"""Models and their versions, as far as clients read them."""

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from local.replicate.access import authenticate, world_of
from local.replicate.catalogue import Model
from local.replicate.problems import not_found


async def list_models(request: Request) -> Response:
    """``GET /models``, and ``QUERY /models`` with a search text: the models that the simulator knows."""
    authenticate(request)
    text = (await request.body()).decode().lower() if request.method == "QUERY" else ""
    models = [
        m.describe()
        for m in world_of(request).catalogue
        if text in f"{m.slug} {m.facts['description']}".lower()
    ]
    return _whole_list(models)


async def get_model(request: Request) -> Response:
    """``GET /models/{owner}/{name}`` with ``latest_version`` and its ``openapi_schema``."""
    return JSONResponse(_model(request).describe())


async def list_versions(request: Request) -> Response:
    """``GET /models/{owner}/{name}/versions``, newest first."""
    model = _model(request)
    return _whole_list([model.describe_version(version) for version in model.versions])


async def get_version(request: Request) -> Response:
    """``GET /models/{owner}/{name}/versions/{id}``."""
    model, version = _model(request), request.path_params["id"]
    if version not in model.versions:
        raise not_found()
    return JSONResponse(model.describe_version(version))


async def list_examples(request: Request) -> Response:
    """``GET /models/{owner}/{name}/examples``: there are none."""
    _model(request)
    return _whole_list([])


async def get_readme(request: Request) -> Response:
    """``GET /models/{owner}/{name}/readme``."""
    model = _model(request)
    return PlainTextResponse(
        f"# {model.slug}\n\n{model.facts['description']}\n\nSimulated: nothing here is the model's work.\n"
    )


def _whole_list(results: list[dict[str, object]]) -> JSONResponse:
    return JSONResponse({"next": None, "previous": None, "results": results})


def _model(request: Request) -> Model:
    authenticate(request)
    model = world_of(request).catalogue.named(request.path_params["owner"], request.path_params["name"])
    if model is None:
        raise not_found()
    return model
