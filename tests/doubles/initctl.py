"""A double of Upstart's initctl(8), for machines that cannot have Upstart; a program of its own.

It passes its words on to what stands for init (upstart_init.py) and prints what that answers. What
it prints by itself is recorded, too: an ordinary user reaches init by the system bus, which is not
up. Beyond the record: root is told the same where no init answers.
"""

from __future__ import annotations

import json
import os
import socket
import sys

FOLDER = os.environ.get("UPSTART_DOUBLE", "/run/upstart-double")
NO_BUS = (
    "initctl: Unable to connect to system bus: Failed to connect to socket"
    " /run/dbus/system_bus_socket: No such file or directory"
)


def main(words: list[str]) -> int:
    """Does what the words say; the exit status."""
    if os.geteuid() != 0:
        print(NO_BUS, file=sys.stderr)
        return 1
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.connect(f"{FOLDER}/socket")
        except OSError:
            print(NO_BUS, file=sys.stderr)
            return 1
        connection.sendall(json.dumps(words).encode() + b"\n")
        with connection.makefile() as answer:
            status, out, error = json.loads(answer.read())
    sys.stdout.write(out)
    sys.stderr.write(error)
    return int(status)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
