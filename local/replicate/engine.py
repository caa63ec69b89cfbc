"""Lives predictions: starting, processing, an end; with logs, progress, metrics and webhooks on the way."""

import asyncio
import base64
import binascii
import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote_to_bytes

from local.replicate.catalogue import Kind
from local.replicate.prediction import Prediction, Status
from local.replicate.renderer import RenderedFile, render_files, render_tokens
from local.replicate.webhooks import Courier
from local.replicate.world import World
from local.simulation.draw.sizes import CannotDrawError
from local.simulation.media_items import MediaItem

RUN_SECONDS: Mapping[Kind, float] = {Kind.IMAGE: 0.2, Kind.VIDEO: 0.5, Kind.AUDIO: 0.3, Kind.TEXT: 0.2}
BOOT_SECONDS = 0.05
UPLOAD_SECONDS = 0.02
JITTER = 0.2
MAX_TICKS = 8
STEPS: Mapping[Kind, int] = {Kind.IMAGE: 4, Kind.VIDEO: 25, Kind.AUDIO: 50, Kind.TEXT: 1}
NSFW_ERROR = "The input or output was flagged as sensitive. Please try again with different inputs. (E005)"
DEFAULT_ERROR = "Prediction interrupted; please retry (code: PA)"
SEED_RANGE = 2**16


class Engine:
    """Starts, cancels and finishes predictions."""

    def __init__(self, world: World, courier: Courier) -> None:
        self._world = world
        self._courier = courier

    def begin(self, prediction: Prediction) -> None:
        """Records the prediction and lets it live in the background."""
        self._world.predictions[prediction.id] = prediction
        self._world.lives[prediction.id] = self._world.spawn(self._live(prediction))

    def cancel(self, prediction: Prediction) -> None:
        """Ends it as canceled; one that is final stays as it is."""
        if prediction.status.is_final:
            return
        self._finish(prediction, Status.CANCELED)
        self._world.lives[prediction.id].cancel()

    async def _live(self, prediction: Prediction) -> None:
        seconds = prediction.cancel_after.total_seconds() if prediction.cancel_after else None
        try:
            async with asyncio.timeout(seconds):
                await self._perform(prediction)
        except TimeoutError:
            late = Status.ABORTED if prediction.status is Status.STARTING else Status.CANCELED
            self._finish(prediction, late)
        except CannotDrawError as error:
            self._finish(prediction, Status.FAILED, str(error))

    async def _perform(self, prediction: Prediction) -> None:
        run_seconds = self._run_seconds(prediction)
        if "aborted" in prediction.faults:
            await self._sleep(BOOT_SECONDS)
            self._finish(prediction, Status.ABORTED)
            return
        self._courier.emit(prediction, "start")
        await self._sleep(BOOT_SECONDS)
        prediction.start(self._world.now())
        seed = _seed_of(prediction)
        self._log(prediction, f"Using seed: {seed}\n")
        if prediction.model.kind is Kind.TEXT:
            await self._run_text(prediction, seed, run_seconds)
        else:
            await self._run_files(prediction, seed, run_seconds)

    async def _run_text(self, prediction: Prediction, seed: int, run_seconds: float) -> None:
        tokens = render_tokens(prediction.model, _filled_in(prediction), seed)
        await self._fail_if_asked(prediction, run_seconds)
        ticks = min(MAX_TICKS, len(tokens))
        for tick in range(1, ticks + 1):
            await asyncio.sleep(run_seconds / ticks)
            if "empty-list" not in prediction.faults:
                prediction.output = tokens[: len(tokens) * tick // ticks]
            prediction.touch()
            self._courier.emit(prediction, "output")
        prediction.metrics |= {
            "input_token_count": len(str(prediction.input.get("prompt", "")).split()),
            "output_token_count": len(tokens),
        }
        await self._succeed(prediction)

    async def _run_files(self, prediction: Prediction, seed: int, run_seconds: float) -> None:
        await self._fail_if_asked(prediction, run_seconds)
        drawing = asyncio.get_running_loop().run_in_executor(self._world.pool, self._draw, prediction, seed)
        drawing.add_done_callback(_look_at_error)
        await self._tick(prediction, run_seconds)
        files = await drawing
        prediction.output = [self._publish(prediction, file) for file in files]
        if prediction.model.kind is Kind.IMAGE:
            prediction.metrics["image_count"] = len(files)
            self._log(prediction, f"Total safe images: {len(files)} out of {len(files)}\n")
        if "empty-list" in prediction.faults:
            prediction.output = [] if prediction.model.has_output_list else None
        self._courier.emit(prediction, "output")
        await self._succeed(prediction)

    def _draw(self, prediction: Prediction, seed: int) -> list[RenderedFile]:
        folder = self._world.folder / prediction.id
        folder.mkdir(exist_ok=True)
        values = _filled_in(prediction)
        return render_files(prediction.model, values, seed, folder, self._source_image(values))

    def _source_image(self, values: Mapping[str, Any]) -> bytes | None:
        """The input image where it is here already: a ``data:`` URL or an upload. Nothing is fetched."""
        url = str(values.get("input_image", ""))
        if url.startswith("data:"):
            return _decode_data_url(url)
        upload = next((u for u in list(self._world.uploads.values()) if u.url == url), None)
        return upload.path.read_bytes() if upload else None

    def _publish(self, prediction: Prediction, file: RenderedFile) -> MediaItem:
        size = file.path.stat().st_size
        item = MediaItem(
            self._world.media_base, file.name, file.content_type, file.path, size, prediction.faults
        )
        self._world.media[item.key] = (prediction, item)
        return item

    async def _tick(self, prediction: Prediction, run_seconds: float) -> None:
        """Cumulative logs with a progress bar that clients can read."""
        steps = int(_filled_in(prediction).get("num_inference_steps", STEPS[prediction.model.kind]))
        ticks = min(MAX_TICKS, steps)
        self._log(prediction, _progress_line(0, steps))
        for tick in range(1, ticks + 1):
            await asyncio.sleep(run_seconds / ticks)
            self._log(prediction, _progress_line(steps * tick // ticks, steps))

    async def _fail_if_asked(self, prediction: Prediction, run_seconds: float) -> None:
        faults = prediction.faults
        if "never-finishes" in faults:
            await asyncio.Event().wait()
        if "nsfw" in faults or "fail" in faults:
            await asyncio.sleep(run_seconds / 2)
            raise CannotDrawError(NSFW_ERROR if "nsfw" in faults else faults.text("fail", DEFAULT_ERROR))

    async def _succeed(self, prediction: Prediction) -> None:
        """Wait mode answers before the status says so: a reply may be ``processing`` with all outputs."""
        prediction.answered.set()
        prediction.touch()
        await self._sleep(UPLOAD_SECONDS)
        self._finish(prediction, Status.SUCCEEDED)

    def _finish(self, prediction: Prediction, status: Status, error: str | None = None) -> None:
        if prediction.finish(status, self._world.now(), error):
            self._courier.emit(prediction, "completed")

    def _log(self, prediction: Prediction, text: str) -> None:
        prediction.logs += text
        prediction.touch()
        self._courier.emit(prediction, "logs")

    def _run_seconds(self, prediction: Prediction) -> float:
        """How long it seems to run: the same for the same prompt, unless the fault says how long."""
        if "slow" in prediction.faults:
            return prediction.faults.seconds("slow", 5.0)
        spread = (
            hash_fraction(f"{self._world.settings.seed}:{sorted(prediction.input.items())}") * 2 - 1
        ) * JITTER
        return RUN_SECONDS[prediction.model.kind] * (1 + spread) * self._world.latency

    async def _sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds * self._world.latency)


def hash_fraction(text: str) -> float:
    """A number in [0, 1) that is the same for the same text."""
    return binascii.crc32(text.encode()) / 2**32


def _look_at_error(drawing: "asyncio.Future[list[RenderedFile]]") -> None:
    """Keeps asyncio from complaining about a drawing that failed after its prediction was canceled."""
    if not drawing.cancelled():
        drawing.exception()


def _filled_in(prediction: Prediction) -> dict[str, Any]:
    return {**prediction.model.defaults(), **prediction.input}


def _seed_of(prediction: Prediction) -> int:
    seed = prediction.input.get("seed", -1)
    return int(seed) if seed >= 0 else secrets.randbelow(SEED_RANGE)


def _progress_line(current: int, total: int) -> str:
    percent = 100 * current // total
    bar = "█" * (percent // 10)
    return f"{percent:3d}%|{bar:<10}| {current}/{total} [00:00<00:00, 20.00it/s]\n"


def _decode_data_url(url: str) -> bytes:
    head, _, data = url.partition(",")
    if not head.endswith(";base64"):
        return unquote_to_bytes(data)
    try:
        return base64.b64decode(data, validate=True)
    except binascii.Error as error:
        raise CannotDrawError(f"the data URL is not base64: {error}") from error
