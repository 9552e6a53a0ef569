"""A vocabulary for tests: every unit and kind of metric, whatever sources are installed."""

from __future__ import annotations

from inspect_agent import registry
from inspect_agent.lang.vocabulary import ChannelWords, Vocabulary
from inspect_agent.model.metric import Family, Metric, Param, Scope

_FAMILIES = (
    Family(
        "cpu",
        "host",
        (Metric("", "percent", "usage", "busy"), Metric("iowait", "percent", "usage", "waits")),
    ),
    Family("load", "host", tuple(Metric(n, "number", "gauge", "load") for n in ("1", "5", "15"))),
    Family("swap", "host", (Metric("", "percent", "gauge", "used", most=100.0),)),
    Family("memory", "host", (Metric("free", "bytes", "gauge", "free"),)),
    Family("disk", "host", (), Metric("", "percent", "gauge", "used", most=100.0)),
    Family("uptime", "host", (Metric("", "seconds", "gauge", "since the boot"),)),
    Family(
        "memory",
        "service",
        (Metric("rss", "bytes", "gauge", "resident"), Metric("total_rss", "bytes", "gauge", "all")),
    ),
    Family(
        "cpu",
        "service",
        (
            Metric("user", "percent", "usage", "in programs"),
            Metric("system", "percent", "usage", "in the kernel"),
        ),
    ),
    Family(
        "io",
        "service",
        (Metric("written", "bytes", "counter", "bytes"), Metric("calls", "count", "counter", "n")),
        params=(
            Param("device", "text", "which one"),
            Param("passphrase", "secret", "for what is encrypted"),
            Param("url", "text", "where it is"),
        ),
    ),
    Family(
        "http",
        "probe",
        (
            Metric("seconds", "seconds", "gauge", "how long the answer took", noisy=True),
            Metric("status", "number", "gauge", "its status"),
        ),
        params=(
            Param("url", "text", "what is asked for", required=True, many=True),
            Param("contains", "text", "what its body has to hold"),
            Param("timeout", "duration", "how long it may take", default="5s"),
            Param("method", "choice", "how it is asked", choices=("GET", "HEAD")),
        ),
    ),
    Family(
        "tls",
        "probe",
        (Metric("days", "number", "gauge", "until the certificate ends"),),
        params=(
            Param("url", "text", "whose certificate", required=True, many=True),
            Param("port", "port", "where it listens"),
        ),
    ),
)


def _channel(name: str) -> ChannelWords:
    channel = registry.load(registry.built_in("channels")[name])
    return ChannelWords(channel.params, channel.incidents, channel)


def _by_name() -> dict[tuple[Scope, str], Family]:
    return {(family.scope, family.name): family for family in _FAMILIES}


VOCABULARY = Vocabulary(
    _by_name(),
    tuple(registry.built_in("managers")),
    {name: _channel(name) for name in ("email", "gmail", "apprise", "log", "null")},
)
