"""Simulators of generation providers: their HTTP APIs, on a port each, with one media host, in one process.

Start them with ``python -m local.providers``. Everything they make is drawn by procedure and labelled ``simulated``.
"""
