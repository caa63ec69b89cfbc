"""Declares the stack parameters."""

from aws_cdk import Acknowledgment, CfnParameter, Stack, Validations

from infra.parameters import PARAMETERS


def declare(stack: Stack, *, stage: str) -> dict[str, CfnParameter]:
    """Add every parameter to `stack`; returns them by environment variable."""
    Validations.of(stack).acknowledge(
        Acknowledgment(
            id="CloudFormation-Validate::W2509",
            reason="RedisSecretName and the like hold names of secrets; findings on parameters belong to the stack.",
        )
    )
    return {
        parameter.variable: CfnParameter(
            stack,
            parameter.name,
            type=parameter.type,
            default=parameter.default,
            description=parameter.description,
            allowed_pattern=f"^{parameter.pattern_of(stage)}$",
        )
        for parameter in PARAMETERS
    }
