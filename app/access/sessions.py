"""Sessions of users: a login gives a short-lived token and a long-lived one that asks for the next.

A session is what is kept of its refresh token; each of its tokens names it and ends with it. A token is kept as long as its session,
though it is good for a shorter time: so one that merely ran out can be told from one that never was.
"""

from __future__ import annotations

from dataclasses import dataclass

from app.access.hashing import fingerprint, new_secret
from app.core.credentials import Credential, Keyring, Session, Token
from app.core.errors import Code, UploadError
from app.core.policy import Principal

TOKEN_PREFIX = "st_"  # noqa: S105 - tells a token from a key before either is looked up
REFRESH_PREFIX = "rt_"  # no prefix of a token: a refresh token never speaks for anybody
SESSION, GOOD_UNTIL = "session", "good_until"  # what a token knows: the fingerprint of its session, and when it runs out


@dataclass(frozen=True, slots=True)
class Sessions:
    """Begins, renews and ends sessions. Holds no state of its own."""

    keyring: Keyring

    def begin(self, who: Principal, lifetime: float, longest: float) -> Session:
        """A new session of `longest` seconds, with a first token of `lifetime` seconds, for who has just proved to be this user."""
        now, secret = self.keyring.now(), REFRESH_PREFIX + new_secret()
        session = Token(who, now, now + longest)
        self.keyring.put_token(fingerprint(secret), session)
        return self._token(secret, session, lifetime)

    def renew(self, refresh_token: str, lifetime: float) -> Session:
        """Another token of a session, which stays as it is: a client may keep the refresh token that it has. Raises UNAUTHENTICATED."""
        session = self.keyring.token(fingerprint(refresh_token)) if refresh_token.startswith(REFRESH_PREFIX) else None
        if session is None or self.keyring.now() >= session.expires_at:
            raise UploadError(Code.UNAUTHENTICATED)
        user_of(self.keyring, session)
        return self._token(refresh_token, session, lifetime)

    def end(self, token: str) -> None:
        """End the session of a token, and all its tokens with it. What is no token of a session is no error."""
        kept = self.keyring.token(fingerprint(token))
        if kept and SESSION in kept.metadata:
            self.keyring.drop_token(kept.metadata[SESSION])
            self.keyring.drop_token(fingerprint(token))

    def _token(self, refresh_token: str, session: Token, lifetime: float) -> Session:
        now, name = self.keyring.now(), fingerprint(refresh_token)
        until = min(now + lifetime, session.expires_at)
        secret = TOKEN_PREFIX + new_secret()
        known = {SESSION: name, GOOD_UNTIL: repr(until)}
        self.keyring.put_token(fingerprint(secret), Token(session.principal, session.issued_at, session.expires_at, known))
        return Session(session.principal, name, secret, refresh_token, until)


def user_of(keyring: Keyring, kept: Token) -> Credential:
    """The user behind what is kept of a token. Raises UNAUTHENTICATED when he was revoked, or got a new password since."""
    user = keyring.credential("user", kept.principal.owner)
    if user is None or user.revoked_at is not None or kept.issued_at < user.created_at:
        raise UploadError(Code.UNAUTHENTICATED)
    return user


def speaker(keyring: Keyring, kept: Token) -> Credential:
    """The user who speaks with a token of a session.

    Raises UNAUTHENTICATED; with the fact `expired_at` when the token is genuine and only ran out, which a vendor may answer differently.
    """
    user = user_of(keyring, kept)
    if keyring.token(kept.metadata[SESSION]) is None:
        raise UploadError(Code.UNAUTHENTICATED)
    until = float(kept.metadata[GOOD_UNTIL])
    if keyring.now() >= until:
        raise UploadError(Code.UNAUTHENTICATED, expired_at=int(until))
    return user
