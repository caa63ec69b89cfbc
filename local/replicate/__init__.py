"""A simulator of Replicate: its HTTP API, its webhooks and its output files, on this machine.

Start it with ``python -m local.replicate``; docs/simulator.md describes it. Everything it makes is drawn by
procedure and labelled ``simulated``.
"""
