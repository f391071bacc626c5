"""Fetches a file from a URL that a client named, and gives no client a way into our own network.

Here live the grammar of such URLs, the judgement of addresses, and the one connection that is made: to an address that was judged.
It may know: the core, httpcore, idna, sockets and TLS.
It must never: resolve a name twice, connect before every address is judged, heed a proxy or credentials of the environment, or wait without an end.
"""

from app.fetching.http_fetcher import HttpFetcher

__all__ = ["HttpFetcher"]
