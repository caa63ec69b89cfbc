"""Writes down what functions told of: who was given which address, and who was refused what. Told twice, kept once."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lib.ports.record import JobRecord


@dataclass(frozen=True)
class KeepNote:
    """The use case of the messages `url_access` and `security_event`."""

    record: JobRecord

    def url_access(self, message: Mapping[str, Any]) -> None:
        """Keep `access`, see `JobRecord.log_url_access`. Raises KeyError or InvalidError if it is none."""
        self.record.log_url_access(message["access"])

    def security_event(self, message: Mapping[str, Any]) -> None:
        """Keep `event`, see `JobRecord.log_security_event`. Raises KeyError or InvalidError if it is none.

        What was refused of an output that does not exist is not kept: somebody mistyped.
        """
        event = dict(message["event"])
        output_id = event.pop("outputId", None)
        if output_id is not None:
            found = self.record.find_output(output_id)
            if found is None:
                return
            event |= {"jobId": found["jobId"], "details": {**event["details"], "outputId": output_id}}
        self.record.log_security_event(event)
