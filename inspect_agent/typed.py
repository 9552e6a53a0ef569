"""What the core needs of `typing`, without importing it.

Importing `typing` costs half a megabyte, and every field of a typing.NamedTuple keeps a compiled
ForwardRef: 0.8 MB together, of the 16 MB that the core may use. Type checkers see the real names;
at run time NamedTuple is collections.namedtuple, and the others only have to be subscriptable.
What the core imports takes these names from here; workers and command lines use `typing`.
"""

from __future__ import annotations

TYPE_CHECKING = False  # type checkers take it for true, wherever it is defined

if TYPE_CHECKING:
    from typing import Any, Generic, Literal, NamedTuple, Protocol, TypeVar, Union
else:
    from collections import namedtuple

    class _Form:
        """Stands for any type: can be subscripted, called and joined with others."""

        def __getitem__(self, item):
            return self

        def __call__(self, *args, **kwargs):
            return self

        def __or__(self, other):
            return self

        __ror__ = __or__

    class Protocol:
        """A base without behaviour."""

    class Generic:
        """A base without behaviour that can be subscripted."""

        def __class_getitem__(cls, item):
            return cls

    class _NamedTupleMeta(type):
        """Makes a namedtuple of a class body: its annotations are the fields."""

        def __new__(cls, name, bases, body):
            fields = tuple(body.pop("__annotations__", ()))
            defaults = [body.pop(field) for field in fields if field in body]
            made = namedtuple(name, fields, defaults=defaults, module=body.pop("__module__"))
            for key, value in body.items():
                if key != "__classcell__":
                    setattr(made, key, value)
            return made

    class _NamedTupleBase:
        """`class X(NamedTuple)` is built by the metaclass; NamedTuple itself is no base."""

        def __mro_entries__(self, bases):
            return (type.__new__(_NamedTupleMeta, "NamedTuple", (), {}),)

    Any = Literal = Union = TypeVar = _Form()
    NamedTuple = _NamedTupleBase()

__all__ = ["Any", "Generic", "Literal", "NamedTuple", "Protocol", "TypeVar", "Union"]
