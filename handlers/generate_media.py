"""`POST /generate-media`: start a job."""

import logging
from typing import Any

from lib import bootstrap
from lib.api import incoming, operations
from lib.api.function import Answered, HttpFunction, json_answer
from lib.api.generate_body import read_request
from lib.api.rate_headers import rate_headers, refuse_if_over
from lib.services.gateway_request import GatewayRequest
from lib.work_settings import GenerateSettings

logger = logging.getLogger(__name__)
http = HttpFunction(bootstrap.identify, bootstrap.report)


@http.route(operations.GENERATE)
def generate() -> Answered:
    """Admit the caller, read the request, start the job."""
    admission = bootstrap.admit_caller().admit(incoming.presented_key(http.event))
    http.act_for(admission.caller)
    http.headers |= rate_headers(admission.decision)
    refuse_if_over(admission.decision)
    key, origin = incoming.header(http.event, "idempotency-key"), incoming.origin(http.event)
    request = read_request(incoming.json_object(http.event), key, origin)
    _log(admission.caller.user_id, request)
    answer = bootstrap.gateway().trigger_generation(admission.caller, request)
    location = {"Location": f"/status/{answer.body['jobId']}"} if "jobId" in answer.body else {}
    return json_answer(answer.status_code, answer.body, location)


def handler(event: incoming.Event, context: Any) -> dict[str, Any]:
    """The Lambda function."""
    return http(event, context)


def _log(user_id: str, request: GatewayRequest) -> None:
    """What is asked for; its words only if the operator wants them in the log, wherever the caller put them."""
    named = "(unknown)" if request.model_id else "(the gateway's choice)"
    known = request.model_id in bootstrap.catalogue().ids()
    facts: dict[str, Any] = {"userId": user_id, "modelId": request.model_id if known else named}
    if bootstrap.settings(GenerateSettings).log_prompts == "true":
        facts |= {"prompt": request.prompt, "parameters": request.parameters, "request": request.request}
    logger.info("generate requested", extra=facts)
