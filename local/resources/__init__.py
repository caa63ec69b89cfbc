"""Creates what the templates declare, one module per family of types."""

from local.resources.apply import apply_stacks

__all__ = ["apply_stacks"]
