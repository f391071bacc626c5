"""Secrets: how they are made, and what is kept of them.

Keys, client secrets and tokens are random, so a plain sha-256 keeps them safe and makes them findable. Passwords are chosen by
people: scrypt with a salt, parameters kept beside the hash so that they can grow.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets

SECRET_BYTES = 32  # 43 url-safe characters
SALT_BYTES = 16
SCRYPT_N, SCRYPT_R, SCRYPT_P = 2**14, 8, 1  # RFC 7914: interactive logins; 16 MiB, tens of milliseconds


def new_secret() -> str:
    """43 url-safe characters that nobody can guess."""
    return secrets.token_urlsafe(SECRET_BYTES)


def fingerprint(secret: str) -> str:
    """The sha-256 (hex) under which a random secret is kept. Takes any text, also what is no valid Unicode."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def matches(secret: str, secret_hash: str) -> bool:
    """Whether a random secret is the one kept, in constant time."""
    return hmac.compare_digest(fingerprint(secret), secret_hash)


def hash_password(password: str) -> str:
    """`scrypt${n}${r}${p}${salt hex}${hash hex}`."""
    salt = secrets.token_bytes(SALT_BYTES)
    return f"scrypt${SCRYPT_N}${SCRYPT_R}${SCRYPT_P}${salt.hex()}${_scrypt(password, salt, SCRYPT_N, SCRYPT_R, SCRYPT_P).hex()}"


def password_matches(password: str, kept: str) -> bool:
    """Whether a password is the one kept, in constant time."""
    _, n, r, p, salt, wanted = kept.split("$")
    return hmac.compare_digest(_scrypt(password, bytes.fromhex(salt), int(n), int(r), int(p)), bytes.fromhex(wanted))


def _scrypt(password: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    return hashlib.scrypt(password.encode("utf-8", "surrogatepass"), salt=salt, n=n, r=r, p=p)
