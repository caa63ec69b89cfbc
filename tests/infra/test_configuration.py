"""A wrong catalogue, described provider or address is told before anything starts, by the name of its setting."""

import json

import pytest

from infra.configuration import problems

LUMA = {
    "PROVIDERS_CONFIG": "docs/examples/provider-luma.json",
    "MODELS_CONFIG": "docs/examples/models-luma.json",
}
MODEL = {"name": "A", "description": "B", "provider": "luma", "estimatedTime": 1, "params": {}}


def test_what_is_shipped_and_the_example_are_right() -> None:
    assert problems({}, bundled=True) == []
    assert problems(LUMA, bundled=False) == []


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"PROVIDERS_CONFIG": "{broken"}, "PROVIDERS_CONFIG: The configuration of providers is not JSON"),
        ({"PROVIDERS_CONFIG": '{"providers": {"x": {}}}'}, "providers.x: 'baseUrl' is a required property"),
        ({"MODELS_CONFIG": "config/nowhere.json"}, "nowhere.json' cannot be read: No such file"),
        ({"MODELS_CONFIG": '{"video": {"a": 3}}'}, "MODELS_CONFIG: The model catalogue is wrong: video.a"),
        (
            {"MODELS_CONFIG": LUMA["MODELS_CONFIG"]},
            "the provider of luma-ray-2, 'luma', is not known, nor is it in PROVIDERS_CONFIG",
        ),
        ({"PROVIDER_ADDRESSES": "{x"}, "PROVIDER_ADDRESSES is not JSON"),
        ({"PROVIDER_ADDRESSES": "[]"}, "PROVIDER_ADDRESSES must be a JSON object"),
        ({"PROVIDER_ADDRESSES": '{"fal": "https://x"}'}, "PROVIDER_ADDRESSES, fal: must be an object"),
        ({"PROVIDER_ADDRESSES": '{"fal": {"queue_url": 5}}'}, "PROVIDER_ADDRESSES, fal: must be an object"),
        (
            {"PROVIDER_ADDRESSES": '{"fal": {"bas_url": "https://x"}}'},
            "has no address called one of: bas_url",
        ),
        (
            {"PROVIDER_ADDRESSES": '{"runway": {"base_url": "http://x.y"}}'},
            "runway: a provider's base URL must be",
        ),
        (
            {"PROVIDER_ADDRESSES": '{"replicate": {"base_url": {"default": "https://x"}}}'},
            "PROVIDER_ADDRESSES, replicate: must be an object of addresses",
        ),
        ({"PROVIDER_ADDRESSES": '{"nobody": {}}'}, "no provider is called 'nobody'"),
        ({**LUMA, "PROVIDER_ADDRESSES": '{"luma": {"url": "https://x"}}'}, "only base_url can be replaced"),
    ],
)
def test_what_is_wrong_is_told_with_its_setting(wrong: dict[str, str], said: str) -> None:
    (problem,) = problems(wrong, bundled=False)
    assert said in problem
    assert problem.startswith(("MODELS_CONFIG", "PROVIDERS_CONFIG", "PROVIDER_ADDRESSES"))


def test_a_model_whose_version_its_provider_does_not_know_is_named() -> None:
    models = json.dumps({"video": {"m": {**MODEL, "version": "ray-2"}}})
    (problem,) = problems({**LUMA, "MODELS_CONFIG": models}, bundled=False)
    assert problem.startswith("MODELS_CONFIG: the version of m, 'ray-2', must match (?P<kind>video|image)/")


def test_a_deployment_has_only_what_is_in_the_bundle() -> None:
    assert [problem.partition("=")[0] for problem in problems(LUMA, bundled=True)] == [
        "PROVIDERS_CONFIG",
        "MODELS_CONFIG",
    ]
    assert problems({"MODELS_CONFIG": "."}, bundled=True)[0].startswith(
        "MODELS_CONFIG='.' is not in the bundle"
    )


def test_what_lies_in_the_bucket_is_left_to_the_functions() -> None:
    in_bucket = {"PROVIDERS_CONFIG": "s3://b/config/providers.json", "PROVIDER_ADDRESSES": '{"x": {}}'}
    assert problems({**in_bucket, "MODELS_CONFIG": LUMA["MODELS_CONFIG"]}, bundled=False) == []
