"""The Redis keys: the only place where one is made.

::

    up:{tenant}:{id}             HASH     an upload
    pt:{tenant}:{id}             HASH     its parts: number -> JSON
    op:{tenant}:{id}             HASH     an operation
    as:{tenant}:{id}             HASH     an asset
    fo:{tenant}:{id}             HASH     a folder
    do:{tenant}:{dialect}/{id}   HASH     a document
    al:{tenant}:{alias}          HASH     whose name it is
    rn:{tenant}:{asset id}       HASH     what was rendered of an asset
    bl:{tenant}:{storage key}    HASH     a blob
    ho:{tenant}:{storage key}    SET      who holds the blob; counted into Blob.holders, never written into its hash
    dg:{tenant}:{digest}         HASH     the pointer from the digest of a tenant's bytes to the live blob that has them

    ix:…                         ZSET     core.refs.Index: {kind}:{tenant}:{id}, scored with the time at which it is due
    sh:{row}:{tenant}:{key}      ZSET     core.refs.Shelf: {kind}:{tenant}:{id}, scored with the time at which it was made
    gone:{kind}:{tenant}:{id}    STRING   EX 30 d: a tombstone
    lock:{kind}:{tenant}:{id}    STRING   PX: the token of the one writer

    tally:{tenant}               HASH     what it takes up: rest, flight, uploads, as in core.tally; turn counts the changes
    allow:{tenant}               HASH     its own limits, where it has some: bytes, uploads

    tenants                      SET      their names
    cred:{kind}:{id}             HASH     a credential
    creds:{tenant}               SET      {kind}:{id} of a tenant's credentials
    secret:{hash}                STRING   the id of the API key whose secret has this hash
    tok:{hash}                   STRING   PX: a bearer token as JSON

    idem:{tenant}:{owner}:{key}  STRING   EX 24 h: a request that came with a key, and what came of it, as JSON
    run:{tenant}:{owner}:{key}   STRING   PX: the token of who runs it now

    pulse:{name}                 STRING   when somebody of this name was last alive
    once:{name}                  STRING   PX: somebody did it already
    quota:{window of a visitor}  STRING   EX: how often he came in it; the library `limits` names the window
    changed                      CHANNEL  {kind}:{tenant}:{id} of every operation written

A tenant's name may hold a colon, so it is escaped; the id comes last and needs nothing. A key that owns bytes has no TTL.
"""

from __future__ import annotations

from urllib.parse import unquote

from app.core.refs import Kind, Place, Ref, Shelf

CHANGED = "changed"
TENANTS = "tenants"


def member(ref: Ref) -> str:
    """A ref as the member of an index or the text of an announcement; `ref_of` is its inverse."""
    return f"{ref.kind.value}:{_escaped(ref.tenant)}:{ref.id}"


def ref_of(text: str) -> Ref:
    """The ref that `member` made this of."""
    kind, tenant, name = text.split(":", 2)
    return Ref(Kind(kind), unquote(tenant), name)


def record(ref: Ref) -> str:
    """Where the record lies."""
    return member(ref)


def holders(ref: Ref) -> str:
    """Who holds this blob."""
    return f"ho:{_escaped(ref.tenant)}:{ref.id}"


def shelf(shelf: Shelf) -> str:
    """Where a list lies."""
    return f"{shelf.row.value}:{_escaped(shelf.tenant)}:{shelf.key}"


def place(place: Place) -> tuple[float, str]:
    """The score and the member behind which a list goes on."""
    return place.made, member(place.ref) if place.ref else ""


def tombstone(ref: Ref) -> str:
    """What remembers a purged record."""
    return f"gone:{member(ref)}"


def lock(ref: Ref) -> str:
    """What its one writer holds."""
    return f"lock:{member(ref)}"


def tally(tenant: str) -> str:
    """What a tenant takes up."""
    return f"tally:{_escaped(tenant)}"


def tallied(key: str) -> str:
    """The tenant of a key that `tally` made."""
    return unquote(key.partition(":")[2])


def allowed(tenant: str) -> str:
    """A tenant's own limits."""
    return f"allow:{_escaped(tenant)}"


def credential(kind: str, id: str) -> str:
    """A credential by its kind and public id."""
    return f"cred:{kind}:{id}"


def credentials(tenant: str) -> str:
    """The names of a tenant's credentials, each `{kind}:{id}`."""
    return f"creds:{tenant}"


def secret(secret_hash: str) -> str:
    """From the hash of an API key to its id."""
    return f"secret:{secret_hash}"


def token(token_hash: str) -> str:
    """A bearer token."""
    return f"tok:{token_hash}"


def reply(tenant: str, owner: str, key: str) -> str:
    """What is known of a request that came with a key."""
    return f"idem:{_escaped(tenant)}:{_escaped(owner)}:{key}"


def running(tenant: str, owner: str, key: str) -> str:
    """What says that it runs."""
    return f"run:{_escaped(tenant)}:{_escaped(owner)}:{key}"


def pulse(name: str) -> str:
    """When somebody of this name was last alive."""
    return f"pulse:{name}"


def once(name: str) -> str:
    """Whether it was done lately."""
    return f"once:{name}"


def quota(window: str) -> str:
    """The counter of one window of one visitor."""
    return f"quota:{window}"


def _escaped(tenant: str) -> str:
    return tenant.replace("%", "%25").replace(":", "%3A")
