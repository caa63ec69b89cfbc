"""Permission on the objects under one prefix of a bucket."""

from collections.abc import Sequence

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3

from infra.nag import acknowledge


def grant_objects(bucket: s3.IBucket, role: iam.IRole, *, prefix: str, actions: Sequence[str]) -> None:
    """Allow `role` these `actions` on objects under `prefix/`, and on nothing else in the bucket.

    The one wildcard stands for the object's key. It is acknowledged on this role and for this prefix only:
    nag names a finding by the exported name of the bucket's ARN.
    """
    arn = Stack.of(bucket).export_value(bucket.bucket_arn)
    exported = Stack.of(role).resolve(arn)["Fn::ImportValue"]
    iam.Grant.add_to_principal(grantee=role, actions=[*actions], resource_arns=[f"{arn}/{prefix}/*"])
    acknowledge(
        role,
        f"IAM5[Resource::{exported}/{prefix}/*]",
        reason=f"Keys under {prefix}/ are made at run time, no policy can list them; actions are named.",
    )
