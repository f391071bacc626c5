"""The names by which tasks and queues are called on both sides of the broker."""

from __future__ import annotations

PROCESSING = "processing"  # decodes and promotions: prefork, with limits
HOUSEKEEPING = "housekeeping"  # sweeps: threads, never behind a decode

PROCESS = "slipway.process"
CANARY = "slipway.canary"

CONSUMERS = {PROCESSING: "worker", HOUSEKEEPING: "keeper"}  # who marks the pulse when a queue's canary arrives
