"""Where the code bundles of the functions stand; the builder writes them, the templates point at them."""

from pathlib import Path

ROOT = Path(__file__).parents[1]
BUILD = ROOT / ".build"
CONSTRAINTS = ROOT / "infra" / "constraints.txt"
LAMBDA_BUNDLE = BUILD / "lambda"
MEDIA_BUNDLE = BUILD / "lambda-media"
PLACEHOLDER = Path(__file__).parent / "placeholder"
