"""NamedTuples of the model as JSON: how they cross a pipe or lie in the ledger.

A NamedTuple is an object whose member "is" names its class; a tuple is an array. Absent members
take the class's defaults, so a value written by an older version can be read by a newer one.
"""

from __future__ import annotations

import json

from inspect_agent.model import config, event, message, observation, rule, target
from inspect_agent.typed import Any

_MODULES = (config, event, message, observation, rule, target)


def _classes() -> dict[str, Any]:
    return {
        name: item
        for module in _MODULES
        for name, item in vars(module).items()
        if isinstance(item, type) and hasattr(item, "_fields")
    }


_CLASSES = _classes()


def plain(value: Any) -> Any:
    """`value` with its NamedTuples as dicts and its tuples as lists, fit for json.dumps."""
    if isinstance(value, tuple):
        if hasattr(value, "_fields"):
            members = {name: plain(item) for name, item in zip(value._fields, value, strict=True)}
            return {"is": type(value).__name__, **members}
        return [plain(item) for item in value]
    return value


def model(value: Any) -> Any:
    """What `plain` was given. Raises ValueError for a class or member that does not exist."""
    if isinstance(value, dict):
        members = {name: model(item) for name, item in value.items() if name != "is"}
        try:
            return _CLASSES[value["is"]](**members)
        except (KeyError, TypeError) as error:
            raise ValueError(f"not a value of the model: {error}") from error
    if isinstance(value, list):
        return tuple(model(item) for item in value)
    return value


def line(value: dict[str, Any]) -> bytes:
    """One JSON object as one line, as workers and the control socket exchange them.

    Half a surrogate pair, as a mount point may hold that is not UTF-8, becomes a question mark.
    """
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.encode(errors="replace") + b"\n"


def to_text(value: Any) -> str:
    """A value of the model as JSON text."""
    return json.dumps(plain(value), ensure_ascii=False, separators=(",", ":"))


def from_text(text: str | bytes) -> Any:
    """What `to_text` was given. Raises ValueError for anything else."""
    return model(json.loads(text))
