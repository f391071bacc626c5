"""What every process writes to stdout: one JSON object a line: time, level, logger, process, message, and what was passed as `extra`.

It knows no room; of the core it asks for the trace of the moment. It must never write a query string (signed URLs carry their signature there), a header or a body.
"""

from __future__ import annotations

import logging.config
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from pythonjsonlogger.json import JsonFormatter

from app.core import tracing

RENAMED = {"levelname": "level", "name": "logger", "exc_info": "error"}
OF_ENVIRON = {"trace": "{slipway.trace}e", "tier": "{slipway.tier}e"}  # what the app says of a request, as gunicorn names it
MISSING = "-"
QUIET = ("botocore", "boto3", "urllib3", "s3transfer", "PIL", "kombu", "amqp")  # they say a lot below WARNING


class Line(JsonFormatter):
    """A record as one line."""

    def __init__(self, process: str) -> None:
        super().__init__(
            ["levelname", "name", "message"],
            rename_fields=RENAMED,
            static_fields={"process": process},
            json_default=str,  # an `extra` of any kind never costs the line
        )

    def process_log_record(self, log_data: dict[str, Any]) -> dict[str, Any]:
        """What celery and gunicorn add for themselves is left out."""
        return {name: value for name, value in log_data.items() if name not in {"taskName", "color_message", "data"}}

    def add_fields(self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]) -> None:
        """The time first, the trace last."""
        log_data["time"] = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        super().add_fields(log_data, record, message_dict)
        trace = tracing.current()
        if trace and "trace" not in log_data:
            log_data["trace"] = trace.id


class Access(logging.Filter):
    """Turns gunicorn's access record, whose arguments are its atoms, into fields. The path alone is kept of the URL."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Always kept."""
        if isinstance(record.args, Mapping):
            atoms: Mapping[str, Any] = record.args
            vars(record).update(
                method=atoms["m"], path=atoms["U"], status=int(atoms["s"]), sent=atoms["B"], ms=atoms["M"], client=atoms["h"]
            )
            vars(record).update({name: atoms[atom] for name, atom in OF_ENVIRON.items() if atoms[atom] != MISSING})
            record.msg, record.args = "request", None
        return True


def config(level: str, process: str) -> dict[str, Any]:
    """For logging.config.dictConfig, and gunicorn's `logconfig_dict`."""
    out = {"handlers": ["out"], "propagate": False}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": Line, "process": process}},
        "filters": {"access": {"()": Access}},
        "handlers": {
            "out": {"class": "logging.StreamHandler", "stream": "ext://sys.stdout", "formatter": "line"},
            "access": {"class": "logging.StreamHandler", "stream": "ext://sys.stdout", "formatter": "line", "filters": ["access"]},
        },
        "root": {"handlers": ["out"], "level": level},
        "loggers": {
            "gunicorn.error": {**out, "level": level},
            "gunicorn.access": {**out, "level": "INFO", "handlers": ["access"]},
            **{name: {"level": "WARNING"} for name in QUIET},
        },
    }


def configure(level: str, process: str) -> None:
    """Send every log and warning of this process to stdout."""
    logging.captureWarnings(capture=True)
    logging.config.dictConfig(config(level, process))
