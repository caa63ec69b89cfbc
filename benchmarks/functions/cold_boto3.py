"""What a cold start is compared with: `import boto3` in a fresh interpreter; prints how long that took."""

import time

begun = time.perf_counter()

import boto3  # noqa: E402, F401 - what is measured

seconds = time.perf_counter() - begun
print(f'{{"seconds": {seconds}}}')
