"""Composed jobs and their elements as `create_job` and `add_job_element` take them."""

from typing import Any

from lib.domain.element import Element
from lib.ports.repositories import NewComposition
from lib.stores.postgres.holdable import holdable


def composition_json(job: NewComposition) -> dict[str, Any]:
    """A composed job: it has elements, and no attempt at a provider."""
    return {
        "jobId": job.job_id,
        "shortId": job.short_id,
        "userId": job.user_id,
        "guestToken": job.guest_token,
        "clientIp": job.client_ip,
        "userAgent": holdable(job.user_agent),
        "mediaType": job.media_type,
        "modelId": job.model_id,
        "provider": job.provider,
        "parameters": dict(job.parameters),
        "outputFormat": job.output_format,
        "width": job.width,
        "height": job.height,
        "estimatedDuration": job.estimated_duration_s,
        "responseType": job.response_type,
        "estimatedTime": job.estimated_time_s,
        "estimatedCost": 0,
        "deadlineAt": job.deadline_at.isoformat(),
        "elements": [element_json(element) for element in job.elements],
    }


def element_json(element: Element) -> dict[str, Any]:
    """An element as it is asked for; how far it has come is not part of that."""
    return {
        "elementId": element.element_id,
        "jobId": element.job_id,
        "type": element.type.value,
        "sourceUrl": element.source_url,
        "content": element.content,
        "track": element.track,
        "elementOrder": element.element_order,
        "start": element.start_s,
        "duration": element.duration_s,
        "xPosition": element.x_position,
        "yPosition": element.y_position,
        "width": element.width,
        "height": element.height,
        "fitMode": element.fit_mode.value,
        "volume": element.volume,
    }
