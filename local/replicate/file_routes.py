"""The files API: uploads that can be passed as inputs, for one hour, up to 100 MB."""

import asyncio
import hashlib
import hmac
import json
import shutil
from pathlib import Path
from typing import Any

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response

from local.replicate.access import account_name, authenticate, base_of, world_of
from local.replicate.paging import page
from local.replicate.prediction import new_id
from local.replicate.problems import bad_request, file_too_large, not_found
from local.replicate.signing import sign_download
from local.replicate.uploads import MAX_BYTES, Upload

SIGNING_KEY = "files of the simulated replicate"
FORM_ROOM = 100_000


async def create_file(request: Request) -> Response:
    """``POST /files``: multipart with ``content``, and ``filename``, ``type`` and ``metadata`` where given."""
    account, world = authenticate(request), world_of(request)
    if int(request.headers.get("content-length", 0)) > MAX_BYTES + FORM_ROOM:
        raise file_too_large()
    async with request.form() as form:
        content = form.get("content")
        if not isinstance(content, UploadFile):
            raise bad_request("The multipart body has no file in a part named content.")
        if (content.size or 0) > MAX_BYTES:
            raise file_too_large()
        path = world.folder / f"upload-{new_id()}"
        digest = await asyncio.to_thread(_store, content, path)
        upload = Upload(
            id=new_id(),
            account=account,
            name=str(form.get("filename") or content.filename or "file"),
            content_type=str(form.get("type") or content.content_type or "application/octet-stream"),
            size=path.stat().st_size,
            sha256=digest,
            metadata=_metadata(form.get("metadata")),
            created_at=world.now(),
            path=path,
            api_base=base_of(request),
            sequence=world.next_sequence(),
        )
    world.uploads[upload.id] = upload
    return JSONResponse(upload.show(), 201)


async def list_files(request: Request) -> Response:
    """``GET /files``: the account's own that have not expired, newest first."""
    account, world = authenticate(request), world_of(request)
    own = [u for u in reversed(world.uploads.values()) if u.account == account and world.now() < u.expires_at]
    return JSONResponse(page(request, own, lambda upload: upload.sequence, Upload.show))


async def get_file(request: Request) -> Response:
    """``GET /files/{id}``: what is known about the file."""
    return JSONResponse(_own_upload(request).show())


async def delete_file(request: Request) -> Response:
    """``DELETE /files/{id}``."""
    upload = _own_upload(request)
    del world_of(request).uploads[upload.id]
    upload.path.unlink()
    return Response(status_code=204)


async def download_file(request: Request) -> Response:
    """``GET /files/{id}/download``: the bytes, for whoever holds a signature that has not expired."""
    world, query = world_of(request), request.query_params
    upload = world.uploads.get(request.path_params["id"])
    expiry = query.get("expiry", "")
    if upload is None or not expiry.isdigit() or int(expiry) < world.now().timestamp():
        raise not_found("File not found")
    owner = account_name(upload.account)
    expected = sign_download(SIGNING_KEY, owner=owner, file_id=upload.id, expiry=int(expiry))
    if query.get("owner") != owner or not hmac.compare_digest(query.get("signature", ""), expected):
        raise not_found("File not found")
    return FileResponse(upload.path, media_type=upload.content_type, filename=upload.name)


def _own_upload(request: Request) -> Upload:
    account, world = authenticate(request), world_of(request)
    upload = world.uploads.get(request.path_params["id"])
    if upload is None or upload.account != account or world.now() >= upload.expires_at:
        raise not_found("File not found")
    return upload


def _store(content: UploadFile, path: Path) -> str:
    with path.open("wb") as file:
        shutil.copyfileobj(content.file, file)
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _metadata(part: Any) -> dict[str, Any]:
    text = part.file.read() if isinstance(part, UploadFile) else part or "{}"
    try:
        metadata = json.loads(text)
    except ValueError as error:
        raise bad_request(f"The part metadata is not JSON: {error}") from error
    return metadata if isinstance(metadata, dict) else {}
