"""What the core knows of each target while it runs: the check, where it stands, its process."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from inspect_agent.core.metrics import Catalogue, Metrics
from inspect_agent.core.watch import Watch
from inspect_agent.engine import condition, services
from inspect_agent.engine.budget import Spent
from inspect_agent.engine.history import Series
from inspect_agent.engine.rules import CALM, RuleState
from inspect_agent.engine.services import Seen, ServiceState
from inspect_agent.engine.silence import ALL
from inspect_agent.model.event import By
from inspect_agent.model.metric import MetricId, NoData, Scope
from inspect_agent.model.observation import Observation
from inspect_agent.model.rule import Rule, ServiceWord
from inspect_agent.model.target import HostCheck, ProbeCheck, Process, ServiceCheck
from inspect_agent.ports import Manager
from inspect_agent.typed import NamedTuple

NOT_RUNNING = NoData("not running")

_JUDGES: dict[ServiceWord, Callable[[ServiceState], bool | None]] = {
    "down": services.is_down,
    "failed": services.is_failed,
}

_OF_CODE: tuple[ServiceWord, ...] = ("stale", "outdated")


class Reading(NamedTuple):
    """What was found of the code that a process runs: whether the word is true of it, and why.

    against   what that depends on beside the process: as soon as it is another it is worth nothing
    at        when it was read
    """

    process: Process
    against: object
    at: float
    holds: bool | None
    why: str


class WatchedRule:
    """A rule, its state, and the routes that heard of its failure."""

    __slots__ = ("comparisons", "heard", "rule", "state", "test")

    def __init__(self, rule: Rule, facts: condition.Facts) -> None:
        self.rule = rule
        self.state: RuleState = CALM
        self.heard: tuple[str, ...] = ()
        self.comparisons = condition.comparisons(rule.condition)
        self.test = condition.build(rule.condition, facts)


class Target:
    """What is watched: its metrics, the rules over them, and what these did.

    name         `host`, `service NAME` or `probe NAME`
    window       the name of windows over it alone; of the machine's, that of those over everything
    spent        what was used of its budget
    repair_told  an action for it failed, which was told, and none has succeeded since
    refusal      why the last action that its rules wanted was not carried out, "" when it was
    """

    __slots__ = (
        "check",
        "memory_bytes",
        "metrics",
        "name",
        "refusal",
        "remind_s",
        "repair_told",
        "rules",
        "spent",
        "window",
    )

    name: str
    window: str
    check: HostCheck | ServiceCheck | ProbeCheck

    def __init__(
        self,
        scope: Scope,
        rules: tuple[Rule, ...],
        remind_s: float | None,
        catalogue: Catalogue,
        machine_bytes: float,
    ) -> None:
        self.metrics = Metrics(catalogue, scope, _asked(catalogue, scope, rules))
        self.remind_s = remind_s
        self.memory_bytes = machine_bytes
        self.rules: list[WatchedRule] = []
        self.spent = Spent()
        self.repair_told = False
        self.refusal = ""

    def arm(self, rules: tuple[Rule, ...], measured: Mapping[MetricId, Series]) -> None:
        """Builds the rules, over what an earlier configuration measured."""
        self.metrics.inherit(measured)
        self.rules = [WatchedRule(rule, self) for rule in rules]

    def series(self, metric: MetricId) -> Series:
        """The series of one of its metrics."""
        return self.metrics.series[metric]

    def word(self, word: ServiceWord) -> bool | None:
        """Whether it is `down`, `failed` or `restarted`; only a service is ever."""
        return None

    def fails(self, family: str) -> bool | None:
        """Whether the source of these metrics could not be asked; None while nobody has."""
        return self.metrics.fails(family)


def _asked(catalogue: Catalogue, scope: Scope, rules: tuple[Rule, ...]) -> Iterator[MetricId]:
    """What rules compare, and one metric of each family that they want to see fail."""
    for rule in rules:
        yield from (test.metric for test in condition.comparisons(rule.condition))
        for test in condition.failing(rule.condition):
            metric = catalogue.main(scope, test.family)
            if metric is not None:
                yield metric


class WatchedHost(Target):
    """The machine."""

    __slots__ = ()

    name = "host"
    window = ALL
    check: HostCheck

    def __init__(self, check: HostCheck, catalogue: Catalogue, machine_bytes: float) -> None:
        super().__init__("host", check.rules, check.remind_s, catalogue, machine_bytes)
        self.check = check


class WatchedProbe(Target):
    """A thing with no process of its own."""

    __slots__ = ()

    check: ProbeCheck

    def __init__(self, check: ProbeCheck, catalogue: Catalogue, machine_bytes: float) -> None:
        super().__init__("probe", check.rules, check.remind_s, catalogue, machine_bytes)
        self.check = check
        self.name, self.window = f"probe {check.name}", check.name


class WatchedService(Target):
    """A service.

    state      what was judged of it; held back while a repair or a silence lasts
    seen       what was last learnt, judged or not
    manager    who owns it; None while nobody is known to
    process    the process that is sampled and watched now
    is_wrapped its process is a shell, su or the like, around the one that works
    held       `seen` has not been judged since: the next judgement expects a change
    repairing  the verb of the repair that runs, "" when none does
    died_at    wall time of a death that waits for the manager's word, or None
    fingerprint  what the last glance told; None: whatever the next one tells is news
    signalled  the process that a rule sent a signal to, and up to when its end is expected
    unheard    how often nobody could say where it is since its process was seen to end; None: its
               process was not, or somebody has said so since
    repaired   the process that this agent's last repair of it brought up
    observed   what its manager said last, when it said something
    by         who started the process that was seen last
    booting    what is known of it is of before the machine was booted
    compares_shares  some rule is about a share of the memory
    code_words  what its rules ask of the code that it runs: `stale`, `outdated`
    readings   what was found of that; see `reading`
    """

    # beyond 30 attributes instances no longer share their keys: a kilobyte for each service
    __slots__ = (
        "_machine_bytes",
        "booting",
        "by",
        "code_words",
        "compares_shares",
        "died_at",
        "fingerprint",
        "held",
        "is_wrapped",
        "looked_at",
        "manager",
        "observed",
        "process",
        "readings",
        "repaired",
        "repairing",
        "replaced",
        "retries",
        "seen",
        "signalled",
        "state",
        "unheard",
        "watch",
    )

    check: ServiceCheck

    def __init__(self, check: ServiceCheck, catalogue: Catalogue, machine_bytes: float) -> None:
        super().__init__("service", check.rules, check.remind_s, catalogue, machine_bytes)
        self.check = check
        self.name, self.window = f"service {check.name}", check.name
        self._machine_bytes = machine_bytes
        self.compares_shares = any(
            test.amount.share
            for rule in check.rules
            for test in condition.comparisons(rule.condition)
        )
        named = {word for rule in check.rules for word in condition.words(rule.condition)}
        self.code_words = tuple(word for word in _OF_CODE if word in named)
        self.readings: dict[ServiceWord, Reading] = {}
        self.state = ServiceState()
        self.seen = Seen("unknown", reason="not asked yet")
        self.manager: Manager | None = None
        self.process: Process | None = None
        self.replaced = False
        self.watch: Watch | None = None
        self.is_wrapped = False
        self.held = False
        self.repairing = ""
        self.died_at: float | None = None
        self.fingerprint: str | None = None
        self.signalled: tuple[Process, float] | None = None
        self.unheard: int | None = None
        self.repaired: Process | None = None
        self.observed = Observation("unknown")
        self.by: By = ""
        self.booting = False
        self.looked_at = 0.0
        self.retries = 0

    def limit_memory(self, most_bytes: float | None) -> None:
        """A share of the memory is one of what it may use, where that is limited."""
        machine_bytes = self._machine_bytes
        self.memory_bytes = machine_bytes if most_bytes is None else min(machine_bytes, most_bytes)

    def word(self, word: ServiceWord) -> bool | None:
        """Whether it is so; None while nobody can say."""
        if word == "restarted":
            return self.replaced
        judge = _JUDGES.get(word)
        if judge is None:
            reading = self.reading(word)
            return None if reading is None else reading.holds
        state = self.state
        if self.held:  # what was last seen is not judged yet, but it is what is true
            seen = services.told_apart(self.seen, state, meant=False)
            state = state._replace(status=seen.status, returning=seen.returning)
        return judge(state)

    def reading(self, word: ServiceWord) -> Reading | None:
        """What was found of the code of its present process; None: it was not read yet."""
        found = self.readings.get(word)
        return found if found is not None and found.process.same_as(self.process) else None

    def expects_end(self, process: Process | None, now: float) -> bool:
        """Whether a signal that a rule has just sent accounts for the end of this process."""
        if process is None or self.signalled is None:
            return False
        signalled, until = self.signalled
        return now < until and process.same_as(signalled)

    def succeed(self, old: WatchedService) -> None:
        """Takes over where a service stands from its check before a reload, but its process."""
        same_owner = (old.check.manager, old.check.pidfile) == (
            self.check.manager,
            self.check.pidfile,
        )
        self.manager = old.manager if same_owner else None
        self.state, self.seen = old.state, old.seen
        self.held, self.repairing = old.held, old.repairing
        self.replaced, self.died_at = old.replaced, old.died_at
        self.looked_at, self.signalled = old.looked_at, old.signalled
        self.unheard, self.repaired = old.unheard, old.repaired
        self.readings = old.readings
        self.observed, self.by, self.booting = old.observed, old.by, old.booting
        old.let_go()

    def let_go(self) -> None:
        """Stops watching and sampling its process; its series stay as they are."""
        if self.watch is not None:
            self.watch.close()
            self.watch = None
        self.process = None
        self.metrics.close()

    def detach(self) -> None:
        """Its process is gone, or another one now; what was glanced before it is worth nothing."""
        self.let_go()
        self.metrics.lose(NOT_RUNNING)
        self.fingerprint = None
