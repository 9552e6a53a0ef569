"""A configuration that compiled: what the core runs on."""

from __future__ import annotations

from collections.abc import Iterator

from inspect_agent.model.rule import Rule
from inspect_agent.model.target import Budget, HostCheck, ProbeCheck, ServiceCheck
from inspect_agent.typed import Literal, NamedTuple

LogLevel = Literal["warn", "info", "debug", "verbose"]


class Settings(NamedTuple):
    """The `set` statements, with their defaults. Names end in their unit where they have one.

    settle          cycles that nothing is told for after a deploy window
    start_delay_s   how long after the agent's start an absent service is not told yet
    autoreload      True: files that have changed are loaded without being asked to
    """

    cycle_time_s: float = 15.0
    deploy_length_s: float = 300.0
    log_level: LogLevel = "info"
    hostname: str = ""
    socket_group: str = ""
    state_dir: str = ""
    remind_s: float | None = None
    restart_timeout_s: float = 30.0
    restarts: Budget = Budget(3, 600.0)
    settle: int = 1
    start_delay_s: float = 0.0
    autoreload: bool = False


class Destination(NamedTuple):
    """One `send alerts [to ROUTE] via CHANNEL`.

    key        `ROUTE/CHANNEL` or `ROUTE/CHANNEL/2`: stable, and free of secrets
    route      "" is the default route
    incidents  True: the channel wants an event a message, so that each opens or resolves one
    params     name and value as the channel reads them, secrets included: for notify alone
    """

    key: str
    route: str
    channel: str
    incidents: bool
    params: tuple[tuple[str, str], ...] = ()


class Config(NamedTuple):
    """Everything that was read.

    destinations   in the order they were written; the default route always has one (the log,
                   where no other was declared)
    warnings       rendered problems that do not keep the configuration from being used
    """

    settings: Settings
    destinations: tuple[Destination, ...]
    host: HostCheck
    services: tuple[ServiceCheck, ...]
    warnings: tuple[str, ...] = ()
    probes: tuple[ProbeCheck, ...] = ()


def rules(config: Config) -> Iterator[Rule]:
    """Every rule: the machine's, those of services and of probes."""
    yield from config.host.rules
    for service in config.services:
        yield from service.rules
    for probe in config.probes:
        yield from probe.rules
