"""Slipway: a self-hosted upload pipeline.

The map of the rooms (each opens with its own law)::

    factory   the Flask app: mounts the dialects, health, signed transfers
    settings  the environment, read once
    wiring    build(settings) -> House: the one place that names adapters
    cli       the `slipway` command
    core      what an upload is and what happens to it; the standard library only
    stores    bytes: local files, S3, memory
    records   everything that is Redis
    jobs      handing work to Celery
    imaging   measuring bytes with Pillow
    fetching  files behind URLs that clients name
    metrics   what is counted, and where Prometheus asks for it
    access    who speaks: API keys, client credentials, bearer tokens
    web       what dialects share about HTTP
    dialects  one published upload API each

This module imports nothing: workers import `app.core`, and must not pull Flask in.
"""
