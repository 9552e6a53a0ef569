"""Puts new content in the place of a file's: all of it, or none."""

from __future__ import annotations

import os
import shutil
import tempfile


def rewrite(path: str, data: bytes) -> None:
    """Replaces the content of a file; a link leads to the one that is replaced. Raises OSError.

    Its mode, owner, group and access lists stay. What one may not write is not replaced either,
    although rename(2) would allow it to whoever may write the folder.
    """
    target = os.path.realpath(path)
    with open(target, "r+b") as file:
        status = os.fstat(file.fileno())
    descriptor, temporary = tempfile.mkstemp(prefix=".inspectctl-", dir=os.path.dirname(target))
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchown(descriptor, status.st_uid, status.st_gid)
            shutil.copystat(target, temporary)
            file.write(data)
            file.flush()
            os.fsync(descriptor)
        os.replace(temporary, target)
    except BaseException:
        os.unlink(temporary)
        raise
