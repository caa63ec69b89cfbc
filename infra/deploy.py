"""`make deploy`: checks what is needed, saves the operator's secrets, bundles, and lets CDK deploy every stack."""

import json
import sys
from collections.abc import Mapping, Sequence

from infra import bundle, cdk_cli, configuration, parameters, settings
from infra.bundle_paths import BUILD
from infra.env_file import load_into_environment
from infra.names import LOGINS_PARAMETER
from infra.operator_secrets import SECRETS, OperatorSecrets
from infra.session import NotReadyError, open_session
from infra.settings import InfraSettings

OUTPUTS = BUILD / "outputs.json"
# Secrets that a stage may do without, by the variable whose parameter tells the functions that there is one.
_OPTIONAL = {"REDIS_SECRET_NAME": "REDIS_URL", "DATABASE_REPLICA_SECRET_NAME": "DATABASE_REPLICA_URL"}


def main(cdk_options: Sequence[str]) -> int:
    """Deploy the configured stage; `cdk_options` go to `cdk deploy`. Returns 1, with the reasons, if it fails."""
    try:
        values = load_into_environment()
        chosen = settings.load(environment=values)
        session, account = open_session(values)
        secrets = OperatorSecrets(session.client("secretsmanager"), chosen)
        arguments = prepare(secrets, chosen, values)
        print(f"stage {chosen.stage}, account {account}, region {session.region_name}")
        for name in secrets.save(values):
            print(f"saved secret {name}")
        arguments += _parameter(chosen, LOGINS_PARAMETER, secrets.logins_version())
        if chosen.bundle and bundle.main() != 0:
            return 1
        environment = {name: value for name, value in values.items() if name.startswith(("AWS_", "VSL_"))}
        environment["AWS_REGION"] = str(session.region_name)
        cdk_cli.install()
        cdk_cli.bootstrap(account, str(session.region_name), environment)
        cdk_cli.deploy([*arguments, *cdk_options], environment)
    except (NotReadyError, bundle.BundleError, cdk_cli.CdkError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    _print_outputs()
    return 0


def prepare(secrets: OperatorSecrets, chosen: InfraSettings, values: Mapping[str, str]) -> list[str]:
    """The arguments of `cdk deploy`; raises NotReadyError with everything that stands in its way."""
    problems = secrets.problems(values)
    wanted = dict(values)
    for variable, url in _OPTIONAL.items():
        secret = next(secret for secret in SECRETS if secret.variable == url)
        if values.get(url) or secrets.exists(secret):
            wanted[variable] = chosen.secret_name(secret.suffix)
    try:
        stack_values = parameters.values(wanted, stage=chosen.stage)
    except ValueError as error:
        problems += str(error).splitlines()
    problems += configuration.problems(wanted, bundled=True)
    if problems:
        listed = "\n".join(f"  - {problem}" for problem in problems)
        raise NotReadyError(f"Not ready to deploy stage {chosen.stage} (see .env.example):\n{listed}")
    arguments = ["--require-approval", "never", "--outputs-file", str(OUTPUTS)]
    for name, value in stack_values.items():
        arguments += _parameter(chosen, name, value)
    return arguments


def _parameter(chosen: InfraSettings, name: str, value: str) -> list[str]:
    return ["--parameters", f"Vsl-{chosen.stage}-app:{name}={value}"]


def _print_outputs() -> None:
    for stack, outputs in json.loads(OUTPUTS.read_text(encoding="utf-8")).items():
        shown = {name: value for name, value in outputs.items() if not name.startswith("Exports")}
        print(f"{stack}:")
        for name, value in sorted(shown.items()):
            print(f"  {name} = {value}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
