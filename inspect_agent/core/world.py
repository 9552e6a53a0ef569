"""The present configuration at work: what is watched, and how it takes over from the last.

`adopt` keeps the history and the state of every rule that is unchanged, and withdraws what a rule
that is gone had opened. Instances of templates come by `appear` and go by `forget`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from inspect_agent.core import templates
from inspect_agent.core.attend import Attend
from inspect_agent.core.changes import Changes, changes
from inspect_agent.core.log import Log
from inspect_agent.core.metrics import Catalogue
from inspect_agent.core.turn import Turn
from inspect_agent.core.watched import Target, WatchedHost, WatchedProbe, WatchedService
from inspect_agent.core.withdraw import Withdrawals
from inspect_agent.engine.history import NOT_SAMPLED
from inspect_agent.model.config import Config, Settings
from inspect_agent.model.target import (
    HostCheck,
    Machine,
    Probe,
    ProbeCheck,
    ServiceCheck,
    template_of,
)


class World:
    """The host, probes and services; empty until the first configuration is adopted.

    services    in the order of the configuration; instances stand where their template does
    templates   the checks that stand for instances
    """

    def __init__(
        self,
        log: Log,
        catalogue: Catalogue,
        attend: Attend,
        withdrawals: Withdrawals,
        machine_bytes: float,
    ) -> None:
        self._log, self._attend, self._withdrawals = log, attend, withdrawals
        self._catalogue, self._machine_bytes = catalogue, machine_bytes
        self._config = Config(Settings(), (), HostCheck(), ())
        self.host = WatchedHost(HostCheck(), catalogue, machine_bytes)
        self.probes: dict[str, WatchedProbe] = {}
        self.services: dict[str, WatchedService] = {}
        self.templates: dict[str, ServiceCheck] = {}
        self._own_checks: set[str] = set()

    def targets(self) -> Iterator[Target]:
        """Everything that has rules."""
        yield self.host
        yield from self.probes.values()
        yield from self.services.values()

    def target(self, name: str) -> Target | None:
        """The target of this name, if it is watched now."""
        kind, _, own = name.partition(" ")
        if kind == "service":
            return self.services.get(own)
        if kind == "probe":
            return self.probes.get(own)
        return self.host if name == self.host.name else None

    def owner(self, name: str) -> str:
        """Who is told of a service, template or probe of this name; of others, the machine's."""
        if name in self.services:
            return self.services[name].check.owner
        if name in self.templates:
            return self.templates[name].owner
        return self.probes[name].check.owner if name in self.probes else self.host.check.owner

    # a configuration comes into force

    def adopt(self, config: Config, turn: Turn) -> Changes:
        """Puts a configuration in force; instances that are known go on."""
        changed = changes(self._config, config)
        self._config = config
        by_name = {check.name: check for check in config.services}
        self.templates = {name: by_name[name] for name in filter(templates.is_template, by_name)}
        self._own_checks = by_name.keys() - self.templates.keys()
        self._adopt_host(config.host, turn)
        self._adopt_probes(config.probes, turn)
        before = self.services
        checks = templates.services(config.services, before)
        self.services = {
            name: self._adopt_service(check, before.get(name), turn)
            for name, check in checks.items()
        }
        for name, old in before.items():
            if name not in self.services:
                self._withdraw(old, turn)
        return changed

    # instances of templates

    def is_instance(self, name: str) -> bool:
        """Whether a service of this name is checked because of a template alone."""
        template = template_of(name)
        return template in self.templates and name != template and name not in self._own_checks

    def appear(self, names: Iterable[str]) -> list[WatchedService]:
        """The services that these names bring, for being instances: watched from now on."""
        fresh = [name for name in names if name not in self.services and self.is_instance(name)]
        if not fresh:
            return []
        checks = templates.services(self._config.services, (*self.services, *fresh))
        found = {name: self._new_service(checks[name]) for name in fresh}
        everything = {**self.services, **found}
        self.services.clear()  # others hold it, too
        self.services.update((name, everything[name]) for name in checks)
        return [found[name] for name in checks if name in found]

    def forget(self, service: WatchedService, turn: Turn) -> None:
        """An instance is gone for good."""
        self._log.info(f"{service.check.name}: no longer loaded, and no longer watched")
        del self.services[service.check.name]
        self._withdraw(service, turn)

    # one target after the other

    def _adopt_host(self, check: HostCheck, turn: Turn) -> None:
        old = self.host
        new = WatchedHost(check, self._catalogue, self._machine_bytes)
        new.arm(check.rules, old.metrics.series)
        old.metrics.close()
        self._inherit(new, old, turn)
        new.metrics.open(Machine())
        self.host = new

    def _adopt_probes(self, checks: Iterable[ProbeCheck], turn: Turn) -> None:
        before = self.probes
        self.probes = {
            check.name: self._adopt_probe(check, before.get(check.name), turn) for check in checks
        }
        for name, old in before.items():
            if name not in self.probes:
                old.metrics.close()
                self._withdrawals.target(old, turn)

    def _adopt_probe(self, check: ProbeCheck, old: WatchedProbe | None, turn: Turn) -> WatchedProbe:
        new = WatchedProbe(check, self._catalogue, self._machine_bytes)
        if old is None:
            new.arm(check.rules, {})
        else:
            old.metrics.close()
            if old.check.params != check.params:  # it may be about something else now
                old.metrics.lose(NOT_SAMPLED)
            new.arm(check.rules, old.metrics.series)
            self._inherit(new, old, turn)
        new.metrics.open(Probe(check.name, check.params))
        return new

    def _adopt_service(
        self, check: ServiceCheck, old: WatchedService | None, turn: Turn
    ) -> WatchedService:
        if old is None:
            return self._new_service(check)
        new = WatchedService(check, self._catalogue, self._machine_bytes)
        process = old.process
        new.arm(check.rules, old.metrics.series)
        new.succeed(old)
        self._inherit(new, old, turn)
        if process is not None:
            self._attend.attach(new, process)
        return new

    def _new_service(self, check: ServiceCheck) -> WatchedService:
        new = WatchedService(check, self._catalogue, self._machine_bytes)
        new.arm(check.rules, {})
        return new

    def _inherit(self, new: Target, old: Target, turn: Turn) -> None:
        new.spent, new.repair_told, new.refusal = old.spent, old.repair_told, old.refusal
        states = {watched.rule.key: watched for watched in old.rules}
        for watched in new.rules:
            forerunner = states.pop(watched.rule.key, None)
            if forerunner is not None:
                watched.state, watched.heard = forerunner.state, forerunner.heard
        self._withdrawals.rules(old, states.values(), turn)

    def _withdraw(self, old: WatchedService, turn: Turn) -> None:
        """Forgets a service that is no longer checked, and resolves what it had opened."""
        old.detach()
        self._withdrawals.target(old, turn)
