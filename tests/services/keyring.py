"""A Keyring in memory, with a clock that tests move."""

from app.core.credentials import Credential, Token


class MemoryKeyring:
    def __init__(self, now: float = 1_000.0) -> None:
        self.time = now
        self.names: set[str] = set()
        self.kept: dict[tuple[str, str], Credential] = {}
        self.tokens: dict[str, Token] = {}

    def now(self) -> float:
        return self.time

    def add_tenant(self, tenant: str) -> bool:
        new = tenant not in self.names
        self.names.add(tenant)
        return new

    def tenants(self) -> list[str]:
        return sorted(self.names)

    def put(self, credential: Credential) -> None:
        self.kept[credential.kind, credential.id] = credential

    def credential(self, kind: str, id: str) -> Credential | None:
        return self.kept.get((kind, id))

    def by_secret_hash(self, secret_hash: str) -> Credential | None:
        return next((held for held in self.kept.values() if held.kind == "key" and held.secret_hash == secret_hash), None)

    def credentials(self, tenant: str) -> list[Credential]:
        return sorted((held for held in self.kept.values() if held.tenant == tenant), key=lambda held: held.created_at)

    def put_token(self, token_hash: str, token: Token) -> None:
        self.tokens[token_hash] = token

    def token(self, token_hash: str) -> Token | None:
        return self.tokens.get(token_hash)  # also an expired one: Redis may be a moment late, so who asks has to look

    def drop_token(self, token_hash: str) -> None:
        self.tokens.pop(token_hash, None)
