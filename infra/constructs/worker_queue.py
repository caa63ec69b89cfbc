"""A work queue with its dead-letter queue, both encrypted and reachable over TLS only."""

from aws_cdk import Duration
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as event_sources
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.settings import InfraSettings

MAX_RECEIVE_COUNT = 5
DEAD_LETTER_RETENTION = Duration.days(14)


def dead_letters_name(settings: InfraSettings, name: str) -> str:
    """The physical name of the dead-letter queue of `name`."""
    return settings.name(f"{name}-dead-letters")


def dead_letter_queue(
    scope: Construct, construct_id: str, *, settings: InfraSettings, name: str
) -> sqs.Queue:
    """A queue that keeps what failed for 14 days, the longest that SQS allows."""
    return sqs.Queue(
        scope,
        construct_id,
        queue_name=dead_letters_name(settings, name),
        retention_period=DEAD_LETTER_RETENTION,
        encryption=sqs.QueueEncryption.SQS_MANAGED,
        enforce_ssl=True,
    )


class WorkerQueue(Construct):
    """A standard queue whose messages go to `dead_letters` after the fifth failed delivery.

    `queue` and `dead_letters` are the queues, `name` and `dead_letters_name` their physical names.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: InfraSettings,
        name: str,
        visibility_seconds: int,
    ) -> None:
        super().__init__(scope, construct_id)
        self.name = settings.name(name)
        self.dead_letters_name = dead_letters_name(settings, name)
        self.dead_letters = dead_letter_queue(self, "DeadLetters", settings=settings, name=name)
        self.queue = sqs.Queue(
            self,
            "Queue",
            queue_name=self.name,
            visibility_timeout=Duration.seconds(visibility_seconds),
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            dead_letter_queue=sqs.DeadLetterQueue(
                max_receive_count=MAX_RECEIVE_COUNT, queue=self.dead_letters
            ),
        )

    def feed(self, function: lambda_.Function, *, batch_size: int, max_concurrency: int) -> None:
        """Deliver to `function`, which reports the messages of a batch that failed.

        `max_concurrency` bounds the workers, and with them their database connections, without taking
        concurrency away from the functions that answer requests.
        """
        function.add_event_source(
            event_sources.SqsEventSource(
                self.queue,
                batch_size=batch_size,
                max_concurrency=max_concurrency,
                report_batch_item_failures=True,
            )
        )
