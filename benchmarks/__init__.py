"""The budgets of the gateway, measured side by side in one run: `python -m benchmarks`."""
