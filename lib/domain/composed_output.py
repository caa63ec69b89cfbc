"""What a composed job came to."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lib.domain.errors import FieldError, InvalidError
from lib.domain.ids import parse_job_id, time_of_id
from lib.domain.kept_text import text_problem

MAX_OUTPUTS = 100


@dataclass(frozen=True, kw_only=True)
class ComposedOutput:
    """One file in the media bucket: bytes, pixels and seconds. Without `output_id` (a UUIDv7) it gets one."""

    key: str
    content_type: str
    file_size: int
    width: int | None = None
    height: int | None = None
    duration_s: float | None = None
    sha256: str | None = None
    thumbnail_key: str | None = None
    output_id: str | None = None


def outputs_json(outputs: Sequence[ComposedOutput]) -> list[dict[str, Any]]:
    """The outputs as the record takes them. Raises InvalidError naming all that is wrong at once."""
    errors = [error for index, output in enumerate(outputs) for error in _errors(f"outputs[{index}]", output)]
    if not 1 <= len(outputs) <= MAX_OUTPUTS:
        errors = [FieldError("outputs", f"must be 1 to {MAX_OUTPUTS} outputs")]
    if errors:
        listed = "; ".join(f"{error.path} {error.message}" for error in errors[:10])
        raise InvalidError(f"The outputs are wrong: {listed}", errors=errors)
    return [
        {
            "index": index,
            "outputId": output.output_id,
            "key": output.key,
            "contentType": output.content_type,
            "fileSize": output.file_size,
            "sha256": output.sha256,
            "width": output.width,
            "height": output.height,
            "duration": output.duration_s,
            "thumbnailKey": output.thumbnail_key,
        }
        for index, output in enumerate(outputs)
    ]


def _errors(path: str, output: ComposedOutput) -> list[FieldError]:
    texts = {"key": output.key, "contentType": output.content_type, "thumbnailKey": output.thumbnail_key}
    errors = [
        FieldError(f"{path}.{name}", problem)
        for name, text in texts.items()
        if text is not None
        if (
            problem := "must be text of 1 to 1024 characters"
            if not 1 <= len(text) <= 1024
            else text_problem(text)
        )
    ]
    if output.file_size < 1:
        errors.append(FieldError(f"{path}.fileSize", "must be at least 1 byte"))
    if output.output_id is not None:
        canonical = parse_job_id(output.output_id)
        if canonical is None or time_of_id(canonical) is None:
            errors.append(FieldError(f"{path}.outputId", "must be a UUID of version 7"))
    return errors
