"""Builds the CDK app: settings -> stacks -> nag -> synth. It makes no AWS call and needs no credentials."""

from pathlib import Path

from aws_cdk import App, DefaultStackSynthesizer, Tags

from infra import settings as infra_settings
from infra.bundle_paths import LAMBDA_BUNDLE, MEDIA_BUNDLE, PLACEHOLDER
from infra.nag import check
from infra.settings import InfraSettings
from infra.stacks.app import AppStack
from infra.stacks.data import DataStack
from infra.stacks.observability import ObservabilityStack

# Here and not in cdk.json, so that `python app.py` and the CDK command line make the same templates.
_FEATURES = {
    "@aws-cdk/core:checkSecretUsage": True,
    "@aws-cdk/core:target-partitions": ["aws"],
    "@aws-cdk/core:validateAgainstDefaultRules": True,
    "@aws-cdk/aws-iam:minimizePolicies": True,
}


class BundleMissingError(RuntimeError):
    """The code bundle that the templates refer to was not built."""


def build(outdir: str | None = None) -> App:
    """The app with its three stacks, ready for `synth()`.

    Raises BundleMissingError, and ValueError on wrong settings.
    """
    app = App(
        outdir=outdir,
        analytics_reporting=False,
        context=_FEATURES,
        # The deployment tool bootstraps, and checks the version in the asset manifest: no rule per template.
        default_stack_synthesizer=DefaultStackSynthesizer(generate_bootstrap_version_rule=False),
    )
    settings = infra_settings.load(app.node.try_get_context)
    code, media_code = _code_directories(settings)
    data = DataStack(app, f"Vsl-{settings.stage}-data", settings=settings)
    application = AppStack(
        app,
        f"Vsl-{settings.stage}-app",
        settings=settings,
        code_directory=code,
        media_code_directory=media_code,
    )
    application.add_stack_dependency(data)
    ObservabilityStack(app, f"Vsl-{settings.stage}-observability", settings=settings, application=application)
    Tags.of(app).add("project", "vsl-media-gateway")
    Tags.of(app).add("stage", settings.stage)
    check(app)
    return app


def _code_directories(settings: InfraSettings) -> tuple[Path, Path]:
    if not settings.bundle:
        return PLACEHOLDER, PLACEHOLDER
    for directory in (LAMBDA_BUNDLE, MEDIA_BUNDLE):
        if not directory.is_dir():
            raise BundleMissingError(
                f"{directory} is missing: run `python -m infra.bundle`, or set VSL_BUNDLE=0"
            )
    return LAMBDA_BUNDLE, MEDIA_BUNDLE
