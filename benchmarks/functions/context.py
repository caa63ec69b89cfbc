"""Lambda's context, as far as the handlers read it; imports next to nothing."""

from dataclasses import dataclass


@dataclass
class FunctionContext:
    """What the handlers read of Lambda's context."""

    function_name: str = "benchmark"
    function_version: str = "$LATEST"
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:123456789012:function:benchmark"
    memory_limit_in_mb: int = 512
    aws_request_id: str = "00000000-0000-0000-0000-000000000000"

    def get_remaining_time_in_millis(self) -> int:
        """Always half a minute."""
        return 30_000
