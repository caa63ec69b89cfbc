"""cdk-nag over every stack: a finding that nobody acknowledged stops the synthesis."""

from aws_cdk import Acknowledgment, App, Validations
from cdk_nag import AwsSolutionsChecks
from constructs import IConstruct


def check(app: App) -> None:
    """Hold the whole app against the AWS Solutions rules when it is synthesized."""
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))


def acknowledge(construct: IConstruct, rule: str, *, reason: str) -> None:
    """Record why `construct`, and it alone, departs from `rule`: an id as in `S1`, or `IAM5[finding]`."""
    Validations.of(construct).acknowledge(
        Acknowledgment(id=f"AwsSolutions::AwsSolutions-{rule}", reason=reason)
    )
