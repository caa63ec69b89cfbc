"""What `make run` prints when everything is ready."""

from pathlib import Path

from local.endpoints import Endpoints


def banner(endpoints: Endpoints, directory: Path, *, real_replicate: bool) -> str:
    """Addresses, the API key, and first requests to copy."""
    replicate = "the real one, by polling" if real_replicate else "simulated; its files are no model's work"
    return f"""
VSL Media Gateway is ready.

  API        {endpoints.api_url}
  API key    {endpoints.api_key}
  Replicate  {endpoints.replicate_url}  ({replicate})
  Providers  {", ".join(endpoints.provider_urls)}  (simulated; their addresses are in endpoints.json)
  Cog        {endpoints.cog_url}  (a real server with a small predictor)
  AWS        {endpoints.aws_endpoint_url}  (moto)
  Postgres   {endpoints.postgres_url}  (owner; the functions' logins are in endpoints.json)
  Redis      {endpoints.redis_url}
  Logs       {directory / "logs"}

Make an image:

  curl -s {endpoints.api_url}/generate-media \\
    -H 'Authorization: Bearer {endpoints.api_key}' -H 'Content-Type: application/json' \\
    -d '{{"mediaType": "image", "modelId": "flux-schnell", "parameters": {{"prompt": "a lighthouse at dawn"}}}}'

See how it is getting on (with the jobId of the answer):

  curl -s {endpoints.api_url}/status/JOB_ID -H 'Authorization: Bearer {endpoints.api_key}'

Ctrl-C stops everything. What happens is listed below.
"""
