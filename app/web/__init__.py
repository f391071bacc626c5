"""What the dialects share about HTTP.

Here live bodies, forms, digests, conditions, schemas, replies and signed transfers, and what a dialect is and how it is mounted.
It may know: Flask, werkzeug, marshmallow, gunicorn's inside (in `sockets` alone), and the core.
It must never: know a vendor, Redis, S3 or Celery, or decide what happens to an upload.
"""
