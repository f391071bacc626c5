"""The routes of this dialect: a slash at the end of a path makes no difference, as the vendor has it; nobody is sent elsewhere."""

from __future__ import annotations

from typing import Any

from flask import Blueprint


class Routes(Blueprint):
    """A blueprint whose routes take a slash at their end, or leave it."""

    def add_url_rule(self, rule: str, *args: Any, **options: Any) -> None:
        """See Flask."""
        super().add_url_rule(rule, *args, **{"strict_slashes": False, **options})
