"""Permission on the objects under one prefix of a bucket."""

from collections.abc import Sequence

from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3

from infra.nag import acknowledge


def grant_objects(bucket: s3.IBucket, role: iam.IRole, *, prefix: str, actions: Sequence[str]) -> None:
    """Allow `role` these `actions` on objects under `prefix/`, and on nothing else in the bucket.

    The one wildcard stands for the object's key; it is acknowledged on this role and for this prefix only.
    """
    arn = bucket.arn_for_objects(f"{prefix}/*")
    iam.Grant.add_to_principal(grantee=role, actions=[*actions], resource_arns=[arn])
    acknowledge(
        role,
        f"IAM5[Resource::arn:<AWS::Partition>:s3:::{_readable(bucket)}/{prefix}/*]",
        reason=f"Keys under {prefix}/ are made at run time, no policy can list them; actions are named.",
    )


def _readable(bucket: s3.IBucket) -> str:
    """The bucket's name as nag writes it, with the account's number as a placeholder."""
    joined = bucket.stack.resolve(bucket.bucket_name)["Fn::Join"][1]
    return "".join(part if isinstance(part, str) else f"<{part['Ref']}>" for part in joined)
