"""Seeded logs: who was given which address, and who was refused."""

from datetime import timedelta

from lib.database import seed_data as data
from lib.database.seed_composition import compositions
from lib.database.seed_data import Fate
from lib.database.seed_generation import jobs
from lib.database.seed_ids import seeded_uuid
from lib.database.seed_writer import SeedWriter

_REFUSALS = ("access_refused", "rate_limited", "wrong_key", "forged_webhook")


def log_accesses(writer: SeedWriter) -> None:
    """Each stored output was asked for once by its user, and its picture too where there is one."""
    for job, fate in jobs(writer.base) + compositions(writer.base):
        if fate is not Fate.COMPLETED:
            continue
        client_ip, user_agent = data.CLIENTS[job.number % len(data.CLIENTS)]
        for output in job.outputs:
            for kind in ("redirect", "thumbnail") if output["thumbnailKey"] else ("redirect",):
                at = job.after(900 + output["index"])
                access = {
                    "accessId": seeded_uuid(at, f"{job.name} {output['index']} {kind}"),
                    "outputId": output["outputId"],
                    "jobId": job.job_id,
                    "userId": job.user_id,
                    "accessType": kind,
                    "clientIp": client_ip,
                    "userAgent": user_agent,
                    "requestId": f"seed-{job.number}",
                    "at": at.isoformat(),
                }
                writer.call("log_url_access", access)


def log_refusals(writer: SeedWriter) -> None:
    """One of each kind."""
    refused_job = jobs(writer.base)[0][0]
    for number, kind in enumerate(_REFUSALS):
        at = writer.base - timedelta(hours=3 * number + 1)
        event = {
            "eventId": seeded_uuid(at, kind),
            "kind": kind,
            "userId": data.USERS[1][0] if number < 2 else None,
            "jobId": refused_job.job_id if kind == "access_refused" else None,
            "clientIp": data.CLIENTS[number % len(data.CLIENTS)][0],
            "userAgent": data.CLIENTS[number % len(data.CLIENTS)][1],
            "requestId": f"seed-{kind}",
            "details": {"seed": True},
            "at": at.isoformat(),
        }
        writer.call("log_security_event", event)
