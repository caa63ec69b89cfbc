"""The functions' own budgets: round trips and time of warm calls, and the cold start of the status."""
