"""What of the parameters reaches the models of Replicate, and under which names."""

from typing import Any

import pytest

from lib.domain.catalogue import Catalogue
from lib.domain.model_input import build_input
from lib.domain.parameters import validate_parameters
from lib.stores.models_source import load_catalogue

PICTURE = "https://example.com/a.png"


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue("config/models")


def sent(catalogue: Catalogue, model_id: str, params: dict[str, Any]) -> dict[str, Any]:
    """What the model would be sent."""
    model = catalogue.get_model_config(model_id)
    return build_input(model, validate_parameters(model, params))


def test_stability_video_is_sent_under_the_models_names_and_values(catalogue: Catalogue) -> None:
    assert sent(catalogue, "stability-video", {"image": PICTURE}) == {
        "input_image": PICTURE,
        "video_length": "25_frames_with_svd_xt",
        "frames_per_second": 24,
        "motion_bucket_id": 127,
    }
    assert sent(
        catalogue, "stability-video", {"image": PICTURE, "num_frames": 14.0, "fps": 6, "seed": 7}
    ) == {
        "input_image": PICTURE,
        "video_length": "14_frames_with_svd",
        "frames_per_second": 6,
        "motion_bucket_id": 127,
        "seed": 7,
    }


@pytest.mark.parametrize(
    "params",
    [
        {"input_audio": PICTURE},
        {"input_audio": PICTURE, "continuation": True, "model_version": "large"},
        {"prompt": "a waltz", "multi_band_diffusion": True, "model_version": "large"},
        {"prompt": "a waltz", "multi_band_diffusion": False},
    ],
)
def test_what_the_model_takes_together_is_sent_as_it_is(catalogue: Catalogue, params: dict[str, Any]) -> None:
    assert params.items() <= sent(catalogue, "musicgen", params).items()


WHOLE_REQUESTS: dict[str, dict[str, Any]] = {
    "flux-schnell": {
        "prompt": "a cat",
        "aspect_ratio": "16:9",
        "megapixels": "0.25",
        "num_outputs": 4,
        "num_inference_steps": 1,
        "seed": 7,
        "output_format": "png",
        "output_quality": 100,
        "disable_safety_checker": True,
        "go_fast": False,
    },
    "sdxl": {
        "prompt": "a cat",
        "negative_prompt": "a dog",
        "width": 1344,
        "height": 768,
        "num_outputs": 4,
        "num_inference_steps": 500,
        "guidance_scale": 50,
        "scheduler": "KarrasDPM",
        "seed": 7,
        "image": PICTURE,
        "mask": PICTURE,
        "prompt_strength": 0,
        "refine": "base_image_refiner",
        "refine_steps": 10,
        "high_noise_frac": 1,
        "lora_scale": 0.5,
        "replicate_weights": "owner/weights",
        "apply_watermark": False,
        "disable_safety_checker": True,
    },
    "stability-video": {
        "image": PICTURE,
        "num_frames": 14,
        "fps": 30,
        "motion_bucket_id": 255,
        "sizing_strategy": "crop_to_16_9",
        "cond_aug": 0.1,
        "decoding_t": 7,
        "seed": 7,
    },
    "musicgen": {
        "prompt": "a waltz",
        "duration": 30,
        "temperature": 0.5,
        "top_k": 0,
        "top_p": 0.9,
        "model_version": "melody-large",
        "input_audio": "https://example.com/a.wav",
        "continuation": True,
        "continuation_start": 1,
        "continuation_end": 5,
        "multi_band_diffusion": True,
        "normalization_strategy": "peak",
        "classifier_free_guidance": 5,
        "output_format": "mp3",
        "seed": 7,
    },
    "llama-3-8b": {
        "prompt": "hello",
        "system_prompt": "Be brief.",
        "max_tokens": 64,
        "min_tokens": 1,
        "temperature": 0.7,
        "top_p": 0.9,
        "top_k": 50,
        "presence_penalty": 1.15,
        "frequency_penalty": 0.2,
        "prompt_template": "{system_prompt} {prompt}",
    },
}
RENAMED = {
    "stability-video": {
        "image": ("input_image", PICTURE),
        "num_frames": ("video_length", "14_frames_with_svd"),
        "fps": ("frames_per_second", 30),
    }
}


@pytest.mark.parametrize("model_id", WHOLE_REQUESTS)
def test_every_parameter_that_is_given_reaches_the_model(catalogue: Catalogue, model_id: str) -> None:
    request = WHOLE_REQUESTS[model_id]
    renamed = RENAMED.get(model_id, {})

    found = sent(catalogue, model_id, request)

    assert found == dict(renamed.get(name, (name, value)) for name, value in request.items())


def test_the_whole_requests_leave_out_no_parameter_of_a_shipped_model(catalogue: Catalogue) -> None:
    """Those of the other providers stand in the contract tests, beside what the provider receives."""
    for model in (model for model in catalogue if model.provider == "replicate"):
        sized = {model.sizes.width, model.sizes.height} if model.sizes else set()
        assert set(WHOLE_REQUESTS[model.id]) | sized == set(model.supported_params)
