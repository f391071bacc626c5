"""The vendor's OData: `$filter` and `$orderby`, as far as its own server knows them; not `geo.distance`, and no regular expressions.

::

    or     := and { "or" and }
    and    := not { "and" not }
    not    := "not" not | "(" or ")" | call [("eq" | "ne") truth] | path operator value | path "in" "(" value { "," value } ")"
    call   := ("contains" | "startswith" | "endswith") "(" path "," value ")" | ("empty" | "exists") "(" path ")"
    value  := 'text' | number | true | false | null | moment | guid
"""

from __future__ import annotations

import re

from app.core.errors import UploadError
from app.dialects.squidex.asked import invalid
from app.dialects.squidex.filters import Condition, Order, compare, every, inverse, path, some

LONGEST = 8192  # characters
DEEPEST = 50
TOKEN = re.compile(r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<mark>[(),])|(?P<word>[^\s(),']+))")
COMPARISONS = frozenset({"eq", "ne", "lt", "le", "gt", "ge"})
SEARCHES = frozenset({"contains", "startswith", "endswith", "matchs"})
QUESTIONS = frozenset({"empty", "exists"})
CONSTANTS = {"true": True, "false": False, "null": None}
NUMBER = re.compile(r"-?\d{1,300}(?:\.\d{1,300})?(?:[eE][+-]?\d{1,3})?")
END = ""


def condition(text: str) -> Condition:
    """What a `$filter` says. Raises UploadError(INVALID)."""
    parser = _Parser(text)
    found = parser.alternatives(0)
    parser.expect(END)
    return found


def orders(text: str) -> tuple[Order, ...]:
    """What an `$orderby` says: `fileName desc, created`. Raises UploadError(INVALID)."""
    found: list[Order] = []
    for each in text.split(","):
        match each.split():
            case [spelled]:
                found.append(Order(path(spelled)))
            case [spelled, ("asc" | "desc") as direction]:
                found.append(Order(path(spelled), direction == "desc"))
            case _:
                raise invalid(f"OData $orderby clause not valid: {each.strip()}")
    return tuple(found)


class _Parser:
    """Reads one filter from front to back."""

    def __init__(self, text: str) -> None:
        self._tokens = _tokens(text)
        self._at = 0

    def alternatives(self, depth: int) -> Condition:
        """`or`."""
        if depth > DEEPEST:
            raise _bad("nested too deep")
        found = [self._all(depth)]
        while self._took("or"):
            found.append(self._all(depth))
        return found[0] if len(found) == 1 else some(found)

    def _all(self, depth: int) -> Condition:
        found = [self._one(depth)]
        while self._took("and"):
            found.append(self._one(depth))
        return found[0] if len(found) == 1 else every(found)

    def _one(self, depth: int) -> Condition:
        if depth > DEEPEST:
            raise _bad("nested too deep")
        if self._took("not"):
            return inverse(self._one(depth + 1))
        if self._took("("):
            inner = self.alternatives(depth + 1)
            self.expect(")")
            return inner
        name = self._next()
        if name in SEARCHES | QUESTIONS and self._peek() == "(":
            return self._judged(self._call(name))
        return self._comparison(name)

    def _call(self, name: str) -> Condition:
        self.expect("(")
        spelled = self._next()
        wanted: object = True
        if name in SEARCHES:
            self.expect(",")
            wanted = _value(self._next())
        self.expect(")")
        return compare(spelled, name, wanted)

    def _judged(self, found: Condition) -> Condition:
        """`… eq false` behind a call turns it round."""
        operator = self._peek()
        if operator not in {"eq", "ne"}:
            return found
        self._next()
        truth = _value(self._next())
        if not isinstance(truth, bool):
            raise _bad("a function is true or false")
        return found if truth is (operator == "eq") else inverse(found)

    def _comparison(self, spelled: str) -> Condition:
        operator = self._next()
        if operator == "in":
            return compare(spelled, operator, self._values())
        if operator not in COMPARISONS:
            raise _bad(f"no operator: {operator!r}")
        return compare(spelled, operator, _value(self._next()))

    def _values(self) -> list[object]:
        self.expect("(")
        found = [_value(self._next())]
        while self._took(","):
            found.append(_value(self._next()))
        self.expect(")")
        return found

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else END

    def _next(self) -> str:
        token = self._peek()
        if token in {END, "(", ")", ","}:
            raise _bad("it ends too early" if token == END else f"unexpected {token!r}")
        self._at += 1
        return token

    def _took(self, token: str) -> bool:
        taken = self._peek() == token
        self._at += taken
        return taken

    def expect(self, token: str) -> None:
        """Raise UploadError(INVALID) unless this comes next."""
        if not self._took(token):
            raise _bad(f"unexpected {self._peek()!r}" if self._peek() else "it ends too early")


def _tokens(text: str) -> list[str]:
    if len(text) > LONGEST:
        raise _bad(f"longer than {LONGEST} characters")
    found, at = [], 0
    while at < len(text.rstrip()):
        token = TOKEN.match(text, at)
        if token is None:
            raise _bad("a text has no end")
        found.append(token[0].strip() if token["text"] is None else token["text"])
        at = token.end()
    return found


def _value(token: str) -> object:
    if token.startswith("'"):
        return token[1:-1].replace("''", "'")
    if token in CONSTANTS:
        return CONSTANTS[token]
    if NUMBER.fullmatch(token):
        return float(token) if set(token) & set(".eE") else int(token)
    return token  # a moment or a guid, which OData writes without quotes


def _bad(reason: str) -> UploadError:
    return invalid(f"OData $filter clause not valid: {reason}")
