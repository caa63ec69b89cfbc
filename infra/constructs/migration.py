"""The custom resource that runs the database migrations while the stack deploys."""

import hashlib
from pathlib import Path

from aws_cdk import CfnResource, CustomResource, Duration
from aws_cdk import aws_lambda as lambda_
from constructs import Construct


def migrations_digest(directory: Path) -> str:
    """A hash over the names and contents of every file under `directory`; stable across machines."""
    digest = hashlib.sha256()
    for path in sorted(path for path in directory.rglob("*.sql") if path.is_file()):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(directory).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()[:32]


class Migration(Construct):
    """Runs `function` whenever a migration file or `logins` changes, before whatever `hold_back` was told of.

    CloudFormation calls the function directly, without a provider framework: it answers by a PUT to the
    event's ResponseURL. On a rollback it is called with the old hash, and never runs a migration down.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        function: lambda_.Function,
        migrations: Path,
        logins: str,
    ) -> None:
        super().__init__(scope, construct_id)
        self._resource = CustomResource(
            self,
            "Resource",
            resource_type="Custom::DatabaseMigration",
            service_token=function.function_arn,
            service_timeout=Duration.minutes(6),
            properties={"MigrationsHash": migrations_digest(migrations), "Logins": logins},
        )
        # The log group and the permission to read the secret must exist before the function is called.
        self._resource.node.add_dependency(function)

    def hold_back(self, function: lambda_.Function) -> None:
        """Let `function` be created or updated only after the migrations ran."""
        resource, custom = function.node.default_child, self._resource.node.default_child
        if not isinstance(resource, CfnResource) or not isinstance(custom, CfnResource):
            raise TypeError(f"{function.node.path} has no CloudFormation resource to hold back")
        resource.add_resource_dependency(custom)
