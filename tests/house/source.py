"""The code of the product, parsed."""

import ast
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@cache
def modules():
    """Every module of app/ and workers/: path relative to the clone, text, syntax tree."""
    files = sorted(file for room in ("app", "workers") for file in (ROOT / room).rglob("*.py"))
    return [(file.relative_to(ROOT), text := file.read_text(), ast.parse(text)) for file in files]


def functions():
    """Every function: where it is, how many lines it has."""
    for path, _, tree in modules():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield f"{path}:{node.lineno} {node.name}", node.end_lineno - node.lineno + 1
