"""Dead letters: `python -m infra.redrive` counts them, `python -m infra.redrive advance` sends them back.

Do the second once the bug that killed them is fixed and deployed.
"""

import argparse
import sys
from collections.abc import Sequence
from typing import Any

from infra import settings
from infra.env_file import load_into_environment
from infra.session import NotReadyError, open_session
from infra.settings import InfraSettings

QUEUES = ("advance", "submit", "store")
# What failed here was no message of a queue: the next run does the same work, the letters are for reading.
READ_ONLY = ("check-replicate-status",)


def counts(sqs: Any, chosen: InfraSettings) -> dict[str, int]:
    """How many messages each dead-letter queue of the stage holds, by the name of its queue."""
    return {name: _attribute(sqs, chosen, name, "ApproximateNumberOfMessages") for name in QUEUES + READ_ONLY}


def redrive(sqs: Any, chosen: InfraSettings, name: str) -> int:
    """Start to move the dead letters of `name` back to it; returns about how many there are.

    Each has its five deliveries again. Moves at most 50 in a second, so that the workers keep up.
    """
    number = counts(sqs, chosen)[name]
    if number:
        source = sqs.get_queue_attributes(QueueUrl=_url(sqs, chosen, name), AttributeNames=["QueueArn"])
        sqs.start_message_move_task(
            SourceArn=source["Attributes"]["QueueArn"], MaxNumberOfMessagesPerSecond=50
        )
    return number


def _url(sqs: Any, chosen: InfraSettings, name: str) -> str:
    queue = chosen.name(f"{name}-dead-letters")
    try:
        return str(sqs.get_queue_url(QueueName=queue)["QueueUrl"])
    except sqs.exceptions.QueueDoesNotExist:
        raise NotReadyError(
            f"There is no queue {queue} in this account and region: is stage {chosen.stage} deployed there?"
        ) from None


def _attribute(sqs: Any, chosen: InfraSettings, name: str, attribute: str) -> int:
    answer = sqs.get_queue_attributes(QueueUrl=_url(sqs, chosen, name), AttributeNames=[attribute])
    return int(answer["Attributes"][attribute])


def main(arguments: Sequence[str]) -> int:
    """Count, or redrive the queue that the first argument names. Returns 1, with the reason, if it cannot."""
    parser = argparse.ArgumentParser(prog="python -m infra.redrive", description=__doc__)
    parser.add_argument("queue", nargs="?", choices=QUEUES, help="whose dead letters to send back")
    queue = parser.parse_args(arguments).queue
    try:
        values = load_into_environment()
        chosen = settings.load(environment=values)
        session, account = open_session(values)
        print(f"stage {chosen.stage}, account {account}, region {session.region_name}")
        sqs = session.client("sqs")
        if queue:
            print(f"{queue}: {redrive(sqs, chosen, queue)} dead letters are going back")
            return 0
        for name, number in counts(sqs, chosen).items():
            print(f"{name}: {number} dead letters")
    except (NotReadyError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
