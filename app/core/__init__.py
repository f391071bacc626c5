"""What an upload is, and what happens to it from the first byte to the purge.

Here live the entities, the pure steps between their states, and the use cases (reception, processing, retention, library).
It may know: the standard library and itself. It speaks to the world through `ports`, whose contracts the other rooms keep.
It must never: import a library, read the environment, know HTTP, Redis, Celery or a vendor.
"""
