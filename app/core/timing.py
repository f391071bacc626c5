"""The clocks of the house: every interval that two rooms must agree on, in seconds."""

from __future__ import annotations

LEASE = 15.0  # a started operation belongs to its worker this long after each heartbeat
HEARTBEAT = 5.0  # how often a worker renews its lease
WITNESS = 5.0  # a lease is taken over only when the same heartbeat was seen twice, this far apart
RESEND_FIRST = 45.0  # a queued operation that nobody picked up is sent again after this, doubling …
RESEND_MOST = 600.0  # … up to this
FAULT_BUDGET = 3600.0  # faults of Redis or the store are retried this long
FAULT_BACKOFF = 5.0  # the first wait after such a fault, doubling …
FAULT_BACKOFF_MOST = 120.0  # … up to this
SOFT_LIMIT = 120  # a task is asked to end
HARD_LIMIT = 150  # a task is killed
VISIBILITY = 600  # the broker hands an unacknowledged message out again; longer than the longest task
GRACE = HARD_LIMIT + 30.0  # doomed bytes stay this long: longer than any worker may still hold them
RUNNING = 15.0  # a request with a key that does not renew its mark may be run anew
REPLIES = 86400  # how long a request with a key is remembered
LOCK = 30.0  # a writer that does not renew loses its lock
TRASH = 30 * 86400.0  # how long an asset can be brought back
TOMBSTONE = 30 * 86400  # how long a purged id answers 410
SWEEP = 5.0  # a sweep ends itself after this
ORPHAN = 86400.0  # staged bytes without a record are swept when they are older than this
LINK = 3600.0  # a signed URL is good for this long, or until its upload's deadline
LONG_POLL = 30.0  # the most that `Prefer: wait` waits
