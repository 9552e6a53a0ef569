"""What the parts of the project tell each other: values without behaviour or I/O.

They are NamedTuples and not dataclasses: importing `dataclasses` costs the core 1.2 MB of the
16 MB it may use (it pulls in `inspect`, `ast` and `dis`). Mind that two NamedTuples of different
classes with equal fields are equal; nothing here may rely on `==` to tell classes apart.
"""
