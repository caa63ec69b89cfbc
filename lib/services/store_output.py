"""Stores one output for good: copied, decoded to learn what it is, with a small picture of it."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from lib.domain import media_keys
from lib.domain.errors import OutputError
from lib.domain.media_type import MediaType
from lib.domain.provider import ProviderOutput
from lib.domain.stored_output import (
    CopiedObject,
    CopyCheckpoint,
    CopyLimits,
    MediaFacts,
    OutputTarget,
    Paused,
    Preview,
    StoredOutput,
)
from lib.ports.storage import MediaBucket, MediaProbe, OutputSource, PreviewPainter
from lib.services.copy_output import copy_output, never
from lib.services.metered_ports import MeteredBucket, MeteredSource
from lib.services.output_meter import OutputMeter


@dataclass(frozen=True)
class StoragePorts:
    """What storing needs of the world."""

    bucket: MediaBucket
    source: OutputSource
    probe: MediaProbe
    painter: PreviewPainter

    def metered(self, meter: OutputMeter) -> "StoragePorts":
        """The same ports, which tell the meter what they move."""
        return replace(
            self, bucket=MeteredBucket(self.bucket, meter), source=MeteredSource(self.source, meter)
        )


def store_output(
    output: ProviderOutput,
    target: OutputTarget,
    ports: StoragePorts,
    *,
    limits: CopyLimits | None = None,
    stop: Callable[[], bool] = never,
    checkpoint: CopyCheckpoint | None = None,
    meter: OutputMeter | None = None,
) -> StoredOutput | Paused:
    """The output is stored, probed and has its preview, or `Paused` says how to go on; repeating it is harmless.

    Raises as `copy_output`, and `OutputError` `output_unreadable` or `output_wrong_type` for a file that does
    not decode: that file is removed again. A preview that cannot be drawn is no error.
    """
    if meter is not None:
        ports = ports.metered(meter)
    copied = copy_output(
        output,
        target,
        bucket=ports.bucket,
        source=ports.source,
        limits=limits,
        stop=stop,
        checkpoint=checkpoint,
    )
    if isinstance(copied, Paused):
        return copied
    if target.media_type is MediaType.TEXT:
        return StoredOutput(target.index, target.media_type, copied, MediaFacts())
    if stop():
        return Paused()
    facts = _probe(copied, ports)
    return _with_preview(copied, facts, target, ports, stop)


def _probe(copied: CopiedObject, ports: StoragePorts) -> MediaFacts:
    try:
        with ports.bucket.open(copied.key, copied.size) as file:
            return ports.probe.probe(file, copied.content)
    except OutputError:
        ports.bucket.delete(copied.key)
        raise


def _with_preview(
    copied: CopiedObject,
    facts: MediaFacts,
    target: OutputTarget,
    ports: StoragePorts,
    stop: Callable[[], bool],
) -> StoredOutput:
    try:
        with ports.bucket.open(copied.key, copied.size) as file:
            preview = ports.painter.paint(file, copied.content, facts, stop)
    except OutputError as error:
        return StoredOutput(target.index, target.media_type, copied, facts, preview_fault=error.message)
    key = _put_preview(preview, target, ports.bucket)
    sound = target.media_type is MediaType.AUDIO
    return StoredOutput(
        target.index,
        target.media_type,
        copied,
        facts,
        thumbnail_key=None if sound else key,
        waveform_key=key if sound else None,
    )


def _put_preview(preview: Preview, target: OutputTarget, bucket: MediaBucket) -> str:
    name = media_keys.waveform_key if target.media_type is MediaType.AUDIO else media_keys.thumbnail_key
    key = name(target, preview.content.extension)
    metadata = media_keys.object_metadata(target)
    bucket.put(key, preview.body, content_type=preview.content.mime, metadata=metadata)
    return key
