"""Who speaks: API keys, OAuth2 clients, users, bearer tokens, and the scopes behind a role.

Here live the rules of credentials (`principals`), a tenant's first ones (`bundles`), the token endpoint (`tokens`), logins (`sessions`)
and what is kept of a secret (`hashing`).
It may know: the core, its port `Keyring`, and Authlib's framework-free half.
It must never: know a request, Redis or a vendor, keep a secret itself, or tell a stranger why he was turned away.
"""

from app.access.principals import Access
from app.access.sessions import Sessions
from app.access.tokens import TokenServer

__all__ = ["Access", "Sessions", "TokenServer"]
