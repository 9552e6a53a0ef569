"""The members of a Literal of the model: at run time it has none (inspect_agent/typed.py)."""

import ast
import inspect
from types import ModuleType
from typing import Literal, get_args


def members(module: ModuleType, name: str) -> tuple[str, ...]:
    """The words of `name = Literal[…]` in a module."""
    for node in ast.parse(inspect.getsource(module)).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name:
            return get_args(eval(ast.unparse(node.value), {"Literal": Literal}))
    raise LookupError(f"{module.__name__} has no {name}")
