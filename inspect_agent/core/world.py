"""The present configuration at work: the host, the services, and how they take over from the last.

`adopt` keeps the history and the state of every rule that is unchanged, and withdraws what a rule
that is gone had opened.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from inspect_agent.alerting import route
from inspect_agent.core import remember
from inspect_agent.core.attend import Attend
from inspect_agent.core.happenings import Happenings
from inspect_agent.core.log import Log
from inspect_agent.core.metrics import Catalogue
from inspect_agent.core.turn import Turn, rule_key
from inspect_agent.core.watched import Target, WatchedHost, WatchedService
from inspect_agent.engine import rules
from inspect_agent.engine.rules import CALM, Phase
from inspect_agent.model.config import Config
from inspect_agent.model.target import HostCheck, Machine, ServiceCheck
from inspect_agent.typed import NamedTuple


class Changes(NamedTuple):
    """What a new configuration changed, by the names of services; host: whether its rules did."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    host: bool


class World:
    """The host and the services; empty until the first configuration is adopted."""

    def __init__(
        self,
        log: Log,
        catalogue: Catalogue,
        happenings: Happenings,
        attend: Attend,
        machine_bytes: float,
    ) -> None:
        self._log = log
        self._catalogue, self._happenings, self._attend = catalogue, happenings, attend
        self._machine_bytes = machine_bytes
        self.host = WatchedHost(HostCheck(), catalogue, machine_bytes)
        self.services: dict[str, WatchedService] = {}

    def targets(self) -> Iterator[Target]:
        """Everything that has rules."""
        yield self.host
        yield from self.services.values()

    def target(self, name: str) -> Target | None:
        """The target of this name, if it is watched now."""
        service = self.services.get(name.removeprefix("service "))
        if service is not None and service.name == name:
            return service
        return self.host if name == self.host.name else None

    def adopt(self, config: Config, turn: Turn) -> Changes:
        """Puts a configuration in force."""
        before, host_before = self.services, self.host
        self._adopt_host(config.host, turn)
        self.services = {
            check.name: self._adopt_service(check, before.get(check.name), turn)
            for check in config.services
        }
        for name, old in before.items():
            if name not in self.services:
                self._withdraw_service(old, turn)
        return Changes(
            added=tuple(name for name in self.services if name not in before),
            changed=tuple(
                name
                for name, service in self.services.items()
                if name in before and _meaning(service.check) != _meaning(before[name].check)
            ),
            removed=tuple(name for name in before if name not in self.services),
            host=_meaning(self.host.check) != _meaning(host_before.check),
        )

    def recall(self, states: Mapping[str, Mapping[str, str]], shift: float, turn: Turn) -> None:
        """What the ledger knew of these targets; what it knew of others is withdrawn."""
        for name, service in self.services.items():
            self._recall_service(name, service, states, shift)
        self._recall_actions(states.get("actions", {}), shift, turn)
        kept = dict(states.get("rule", {}))
        for target in self.targets():
            for watched in target.rules:
                text = kept.pop(rule_key(target.name, watched.rule.key), None)
                if text is not None:
                    with remember.tolerant(self._log, f"rule {watched.rule.key}"):
                        watched.state, watched.heard = remember.rule_from_text(text, shift)
        for key, text in kept.items():
            turn.keep("rule", key, None)
            with remember.tolerant(self._log, f"rule {key}"):
                self._withdraw_key(key, *remember.rule_from_text(text, shift), turn)
        for name in states.get("service", {}).keys() - self.services.keys():
            turn.keep("service", name, None)
            turn.keep("budget", name, None)

    def _recall_service(
        self,
        name: str,
        service: WatchedService,
        states: Mapping[str, Mapping[str, str]],
        shift: float,
    ) -> None:
        text, spent = states.get("service", {}).get(name), states.get("budget", {}).get(name)
        with remember.tolerant(self._log, f"service {name}"):
            if text is not None:
                service.state, service.repair_told = remember.service_from_text(text, shift)
            if spent is not None:
                service.spent = remember.spent_from_text(spent, shift)

    def _recall_actions(self, rows: Mapping[str, str], shift: float, turn: Turn) -> None:
        """What was done for targets that are no services."""
        for name, text in rows.items():
            target = self.target(name)
            if target is None:
                turn.keep("actions", name, None)
                continue
            with remember.tolerant(self._log, f"actions of {name}"):
                target.spent, target.repair_told = remember.actions_from_text(text, shift)

    def _adopt_host(self, check: HostCheck, turn: Turn) -> None:
        old = self.host
        new = WatchedHost(check, self._catalogue, self._machine_bytes)
        new.arm(check.rules, old.metrics.series)
        old.metrics.close()
        self._inherit(new, old, turn)
        new.metrics.open(Machine())
        self.host = new

    def _adopt_service(
        self, check: ServiceCheck, old: WatchedService | None, turn: Turn
    ) -> WatchedService:
        new = WatchedService(check, self._catalogue, self._machine_bytes)
        if old is None:
            new.arm(check.rules, {})
            return new
        process = old.process
        new.arm(check.rules, old.metrics.series)
        new.succeed(old)
        self._inherit(new, old, turn)
        if process is not None:
            self._attend.attach(new, process)
        return new

    def _inherit(self, new: Target, old: Target, turn: Turn) -> None:
        new.spent, new.repair_told, new.refusal = old.spent, old.repair_told, old.refusal
        states = {watched.rule.key: watched for watched in old.rules}
        for watched in new.rules:
            forerunner = states.pop(watched.rule.key, None)
            if forerunner is not None:
                watched.state, watched.heard = forerunner.state, forerunner.heard
        for gone in states.values():
            key = rule_key(old.name, gone.rule.key)
            turn.keep("rule", key, None)
            self._withdraw_key(key, gone.state, gone.heard, turn)

    def _withdraw_key(
        self, key: str, state: rules.RuleState, heard: tuple[str, ...], turn: Turn
    ) -> None:
        """Resolves what a rule that is gone had opened."""
        if state.phase is Phase.TRIGGERED:
            event = self._happenings.withdrawn(key, turn.wall)
            self._log.info(event.text)
            turn.tell(route.withdrawn(event, heard))

    def _withdraw_service(self, old: WatchedService, turn: Turn) -> None:
        """Forgets a service that is no longer checked, and resolves what it had opened."""
        old.detach()
        for watched in old.rules:
            key = rule_key(old.name, watched.rule.key)
            if watched.state is not CALM:
                turn.keep("rule", key, None)
            self._withdraw_key(key, watched.state, watched.heard, turn)
        for what, is_open in (("process", old.state.lost), ("repair", old.repair_told)):
            if is_open:
                event = self._happenings.withdrawn(f"{old.name}/{what}", turn.wall)
                turn.tell(route.withdrawn(event, (old.check.owner,)))
        turn.keep("service", old.check.name, None)
        turn.keep("budget", old.check.name, None)


def _meaning(check: HostCheck | ServiceCheck) -> HostCheck | ServiceCheck:
    """A check without the places where it was written."""
    rules = tuple(rule._replace(place="") for rule in check.rules)
    if isinstance(check, ServiceCheck):
        return check._replace(place="", rules=rules)
    return check._replace(rules=rules)
