"""Where the example predictor is, for those who must not import it: its imports belong to Cog's worker."""

from pathlib import Path

PREDICTOR = f"{Path(__file__).parent / 'predict.py'}:Sketch"
RUNS = "runs.jsonl"
