"""One cold start: imports the handler and answers the event on standard input; prints how long that took.

Nothing that the handler needs may be imported here before the clock runs.
"""

import sys
import time

given = sys.stdin.read()
begun = time.perf_counter()

import json  # noqa: E402 - counts as part of the start

from handlers.get_status import handler  # noqa: E402 - counts as part of the start

answer = handler(json.loads(given), None)
seconds = time.perf_counter() - begun
if answer["statusCode"] != 200:
    raise SystemExit(f"answered {answer}")
print(json.dumps({"seconds": seconds, "modules": sorted(sys.modules)}))
