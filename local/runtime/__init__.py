"""Runs Lambda functions in processes of their own, under AWS's own runtime client."""

from local.runtime.asynchronous import AsynchronousCalls
from local.runtime.invocation import FunctionError
from local.runtime.pool import Pool
from local.runtime.runtime import Runtime

__all__ = ["AsynchronousCalls", "FunctionError", "Pool", "Runtime"]
