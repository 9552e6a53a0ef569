"""What the core needs of `typing`, without importing it.

Importing `typing` costs half a megabyte, and every field of a typing.NamedTuple keeps a compiled
ForwardRef: 0.8 MB together, of the 16 MB that the core may use; what collections.namedtuple makes
anew for each class is 0.2 MB more. Type checkers see the real names; at run time NamedTuple is a
tuple with named fields, and the other names only have to be subscriptable. What the core imports
takes them from here; workers and command lines use `typing`.
"""

from __future__ import annotations

TYPE_CHECKING = False  # type checkers take it for true, wherever it is defined

if TYPE_CHECKING:
    from typing import Any, Generic, Literal, NamedTuple, Protocol, TypeVar, Union
else:
    from collections import _tuplegetter  # what collections.namedtuple's own fields are

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

    class _Record(tuple):
        """What all named tuples share; collections.namedtuple makes each of these anew."""

        __slots__ = ()
        _fields = ()
        _field_defaults = {}  # noqa: RUF012  (ClassVar is typing's)

        def __new__(cls, *args, **kwargs):
            fields = cls._fields
            if kwargs or len(args) != len(fields):
                args = cls._arrange(args, kwargs)
            return tuple.__new__(cls, args)

        @classmethod
        def _arrange(cls, args, kwargs):
            fields = cls._fields
            given = dict(zip(fields, args, strict=False))
            if len(args) > len(fields) or given.keys() & kwargs or kwargs.keys() - fields:
                raise TypeError(f"{cls.__name__} takes {fields}, not {args} {kwargs}")
            given = {**cls._field_defaults, **given, **kwargs}
            if len(given) < len(fields):
                raise TypeError(f"{cls.__name__} needs {set(fields) - given.keys()}")
            return [given[field] for field in fields]

        def _asdict(self):
            return dict(zip(self._fields, self, strict=True))

        def _replace(self, **changes):
            return self.__class__(**{**self._asdict(), **changes})

        def __repr__(self):
            fields = ", ".join(f"{field}={value!r}" for field, value in self._asdict().items())
            return f"{self.__class__.__name__}({fields})"

    class _NamedTupleMeta(type):
        """Makes a _Record of a class body: its annotations are the fields."""

        def __new__(cls, name, bases, body):
            fields = tuple(body.pop("__annotations__", ()))
            body["_field_defaults"] = {field: body[field] for field in fields if field in body}
            getters = {field: _tuplegetter(place, None) for place, field in enumerate(fields)}
            return type(name, (_Record,), {**body, **getters, "_fields": fields, "__slots__": ()})

    class _NamedTupleBase:
        """`class X(NamedTuple)` is built by the metaclass; NamedTuple itself is no base."""

        def __mro_entries__(self, bases):
            return (type.__new__(_NamedTupleMeta, "NamedTuple", (), {}),)

    Any = Literal = Union = TypeVar = _Form()
    NamedTuple = _NamedTupleBase()

__all__ = ["Any", "Generic", "Literal", "NamedTuple", "Protocol", "TypeVar", "Union"]
