"""Reusable pieces of the stacks; each takes keyword arguments and exposes what it owns."""
