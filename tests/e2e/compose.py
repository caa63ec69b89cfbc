"""Composes a video job as a worker does it, in a process with a worker's environment; prints the job's id."""

import sys
from datetime import timedelta

from lib import bootstrap
from lib.domain.composed_output import ComposedOutput
from lib.domain.ids import uuid7
from lib.domain.job import JobStatus
from lib.ports.repositories import ElementChange
from lib.ports.work_report import StorageOperation

FILM = {
    "outputFormat": "mp4",
    "width": 1920,
    "height": 1080,
    "elements": [
        {
            "type": "video",
            "sourceUrl": "https://example.com/video.mp4",
            "elementOrder": 0,
            "track": 0,
            "xPosition": "10%",
            "yPosition": "10%",
            "width": "80%",
            "height": "80%",
            "fitMode": "contain",
        }
    ],
}


def main(user_id: str) -> None:
    """The whole workflow of the database document."""
    service = bootstrap.video_jobs()
    made = service.create_video_job(
        user_id, FILM, estimated_duration=45, client_ip="203.0.113.9", user_agent="curl/8"
    )
    job_id = made.job.job_id
    service.update_job_status(job_id, JobStatus.PROCESSING)
    step = service.start_processing_step(job_id, "download", 0, details={"source_count": 1})
    element = made.elements[0].element_id
    service.update_element_status(
        element,
        ElementChange(downloaded=True, local_path="/tmp/video.mp4", source_size=10_485_760),
    )
    service.complete_processing_step(job_id, step, True, 50, cpu_usage=45.2, memory_usage=1_073_741_824)
    service.update_progress(job_id, 75)
    now = bootstrap.clock()
    uploaded = StorageOperation(
        str(uuid7(now)),
        "upload",
        "media",
        "videos/output.mp4",
        success=True,
        at=now - timedelta(),
        duration_ms=2500,
    )
    service.log_storage_operation(job_id, uploaded)
    service.update_element_status(element, ElementChange(processed=True))
    service.complete(
        job_id, [ComposedOutput(key="videos/output.mp4", content_type="video/mp4", file_size=10_485_760)]
    )
    print(job_id)  # noqa: T201 - it is what the caller waits for


if __name__ == "__main__":
    main(sys.argv[1])
