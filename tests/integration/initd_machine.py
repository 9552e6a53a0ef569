"""A machine with init scripts and nothing else: redis-server's own, and those of tests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from tests.integration.components import need
from tests.integration.scandirs import VISIBLE
from tests.integration.small_machine import SmallMachine

REDIS = "redis-server"
REDIS_PID = "run/redis/redis-server.pid"
# no port: the network is everybody's
REDIS_CONF = """port 0
unixsocket /run/redis/redis.sock
daemonize yes
pidfile /run/redis/redis-server.pid
dir /var/lib/redis
save ""
"""
_SCRIPT = """#!/bin/sh
NAME={name}
PIDFILE=/run/$NAME.pid
start() {{
    {start}
}}
stop() {{
    test -f $PIDFILE || return 0
    pid=$(cat $PIDFILE) && rm $PIDFILE && kill $pid  # in the order in which a daemon would do it
}}
case "$1" in
    start) start ;;
    stop) stop ;;
    restart) stop; start ;;
    reload) touch /run/$NAME.reloaded ;;
    *) echo "Usage: $0 {{start|stop|restart}}"; exit 3 ;;
esac
"""
DAEMON = "setsid sleep 1000 > /dev/null 2>&1 & echo $! > $PIDFILE"


def script(name: str, start: str = DAEMON) -> str:
    """A script that names its PID file, has no status action, and prints its usage then."""
    return _SCRIPT.format(name=name, start=start)


@contextmanager
def initd_machine(scripts: Mapping[str, str]) -> Iterator[SmallMachine]:
    """Nothing is started in it."""
    need("namespaces")
    need("redis")
    folders = "mkdir -p /var/lib/redis /var/log/redis; chown redis: /var/lib/redis /var/log/redis"
    with SmallMachine(["tini", "--", "sleep", "infinity"], folders, VISIBLE) as machine:
        conf = machine.root / "etc/redis/redis.conf"
        conf.write_text(REDIS_CONF)
        conf.chmod(0o644)
        for name, text in scripts.items():
            path = machine.root / "etc/init.d" / name
            path.write_text(text)
            path.chmod(0o755)
        yield machine
