"""The local cloud: runs the synthesized CDK template on one machine, from pip packages alone."""
