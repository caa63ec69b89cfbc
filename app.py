"""CDK entry: `python app.py` writes the templates to `CDK_OUTDIR`. No AWS call, no credentials."""

from infra.application import build

if __name__ == "__main__":
    build().synth()
