"""The files are real, are what the input asks for, and depend on prompt and seed alone."""

from pathlib import Path
from typing import Any

import av
import pytest
from PIL import Image, ImageChops, ImageStat

from local.replicate.catalogue import load_catalogue
from local.replicate.renderer import render_files, render_tokens
from local.simulation.draw.sizes import FLUX_SIZES, CannotDrawError, image_size, video_size

FLUX = "black-forest-labs/flux-schnell"
SDXL = "stability-ai/sdxl"
VIDEO = "stability-ai/stable-video-diffusion"
MUSIC = "meta/musicgen"
TEXT = "meta/meta-llama-3-8b-instruct"


def draw(folder: Path, slug: str, seed: int = 1, source: bytes | None = None, **values: Any) -> list[Path]:
    model = load_catalogue().named(*slug.split("/"))
    assert model is not None
    place = folder / f"{len(list(folder.iterdir()))}"
    place.mkdir()
    return [file.path for file in render_files(model, {**model.defaults(), **values}, seed, place, source)]


def tokens(prompt: str, seed: int = 1, **values: Any) -> list[str]:
    model = load_catalogue().named(*TEXT.split("/"))
    assert model is not None
    return render_tokens(model, {**model.defaults(), "prompt": prompt, **values}, seed)


@pytest.mark.parametrize(("file_format", "decoded"), [("webp", "WEBP"), ("png", "PNG"), ("jpg", "JPEG")])
def test_pictures_come_in_the_format_and_size_asked_for(
    tmp_path: Path, file_format: str, decoded: str
) -> None:
    paths = draw(
        tmp_path, FLUX, prompt="a kite", aspect_ratio="16:9", output_format=file_format, num_outputs=2
    )
    assert [path.name for path in paths] == [f"out-0.{file_format}", f"out-1.{file_format}"]
    for path in paths:
        with Image.open(path) as picture:
            assert (picture.format, picture.size) == (decoded, (1344, 768))


def test_the_same_seed_gives_the_same_bytes_and_several_outputs_differ(tmp_path: Path) -> None:
    first = draw(tmp_path, FLUX, prompt="a kite", num_outputs=2)
    again = draw(tmp_path, FLUX, prompt="a kite", num_outputs=1)
    assert first[0].read_bytes() == again[0].read_bytes()
    assert first[0].read_bytes() != first[1].read_bytes()


@pytest.mark.parametrize("change", [{"prompt": "a castle"}, {"seed": 2}])
def test_another_prompt_or_seed_is_visibly_another_picture(tmp_path: Path, change: dict[str, Any]) -> None:
    same: dict[str, Any] = {"prompt": "a kite", "width": 256, "height": 256}
    [one] = draw(tmp_path, SDXL, **same)
    [other] = draw(tmp_path, SDXL, **{**same, **change})
    with Image.open(one) as left, Image.open(other) as right:
        assert sum(ImageStat.Stat(ImageChops.difference(left, right)).mean) / 3 > 15


def pictures_of(path: Path) -> list[Image.Image]:
    with av.open(str(path)) as container:
        return [frame.to_image() for frame in container.decode(video=0)]  # type: ignore[no-untyped-call] # PyAV's types


@pytest.mark.parametrize(("length", "frames"), [("14_frames_with_svd", 14), ("25_frames_with_svd_xt", 25)])
def test_a_video_has_its_frames_its_rate_and_motion(tmp_path: Path, length: str, frames: int) -> None:
    [path] = draw(
        tmp_path, VIDEO, input_image="https://a.example/x.png", video_length=length, frames_per_second=10
    )
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.name == "h264"
        assert stream.average_rate == 10
        assert container.metadata["title"].startswith("simulated")
        assert container.duration == pytest.approx(frames / 10 * 1_000_000)
    pictures = pictures_of(path)
    assert (len(pictures), pictures[0].size) == (frames, (1024, 576))
    assert sum(ImageStat.Stat(ImageChops.difference(pictures[0], pictures[-1])).mean) > 3
    assert path.read_bytes().index(b"moov") < path.read_bytes().index(b"mdat")


def test_a_video_starts_from_the_input_image_where_it_is_at_hand(tmp_path: Path) -> None:
    picture = tmp_path / "in.png"
    Image.new("RGB", (320, 640), "red").save(picture)
    [path] = draw(tmp_path, VIDEO, source=picture.read_bytes(), input_image="data:image/png;base64,...")
    frame = pictures_of(path)[0]
    red, green, _ = ImageStat.Stat(frame.crop((140, 200, 180, 400))).mean
    assert (frame.size, red > 200, green < 60) == ((320, 640), True, True)


def test_a_video_of_no_picture_cannot_be_drawn(tmp_path: Path) -> None:
    with pytest.raises(CannotDrawError, match="cannot identify image file"):
        draw(tmp_path, VIDEO, source=b"<html>", input_image="data:,")


@pytest.mark.parametrize(("file_format", "codec"), [("wav", "pcm_s16le"), ("mp3", "mp3float")])
def test_music_sounds_for_as_long_as_asked(tmp_path: Path, file_format: str, codec: str) -> None:
    [path] = draw(tmp_path, MUSIC, prompt="jazz", duration=3, output_format=file_format)
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        frames = list(container.decode(audio=0))
        assert (stream.codec_context.name, stream.rate, stream.channels) == (codec, 32000, 2)
        assert container.metadata["title"].startswith("simulated")
    assert sum(frame.samples for frame in frames) / 32000 == pytest.approx(3, abs=0.1)
    if file_format == "wav":
        samples = memoryview(path.read_bytes()[-128000:]).cast("h")
        assert max(samples) > 5000


def test_another_prompt_is_another_melody(tmp_path: Path) -> None:
    [one], [same], [other] = (
        draw(tmp_path, MUSIC, prompt=prompt, duration=1) for prompt in ("jazz", "jazz", "waltz")
    )
    assert one.read_bytes() == same.read_bytes() != other.read_bytes()


def test_text_names_itself_simulated_and_depends_on_the_prompt() -> None:
    assert "".join(tokens("a kite")).startswith("[simulated] You asked: a kite.")
    assert tokens("a kite") == tokens("a kite") != tokens("a kite", seed=2)
    assert len(tokens("a kite", max_tokens=3)) == 3


@pytest.mark.parametrize("ratio", sorted(FLUX_SIZES))
def test_every_aspect_ratio_has_about_a_megapixel_or_a_quarter(ratio: str) -> None:
    width, height = image_size({"aspect_ratio": ratio, "megapixels": "1"})
    across, down = ratio.split(":")
    assert width / height == pytest.approx(int(across) / int(down), rel=0.05)
    assert width * height == pytest.approx(1e6, rel=0.08)
    assert image_size({"aspect_ratio": ratio, "megapixels": "0.25"}) == (width // 2, height // 2)


@pytest.mark.parametrize("size", [(1001, 1024), (4096, 4096)])
def test_sizes_that_the_real_model_fails_on_fail_here(size: tuple[int, int]) -> None:
    with pytest.raises(CannotDrawError):
        image_size({"width": size[0], "height": size[1]})


@pytest.mark.parametrize(
    ("strategy", "image", "expected"),
    [
        ("maintain_aspect_ratio", None, (1024, 576)),
        ("maintain_aspect_ratio", (2048, 2048), (1024, 1024)),
        ("maintain_aspect_ratio", (300, 200), (256, 192)),
        ("crop_to_16_9", (300, 200), (1024, 576)),
        ("use_image_dimensions", (700, 500), (640, 448)),
    ],
)
def test_video_sizes_are_multiples_of_64(
    strategy: str, image: tuple[int, int] | None, expected: tuple[int, int]
) -> None:
    assert video_size(strategy, image) == expected
