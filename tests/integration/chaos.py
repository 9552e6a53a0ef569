"""Services that die, an agent that is killed, and what must have been told of it all."""

from __future__ import annotations

import os
import random
import shlex
import signal
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.integration.daemons import Daemons
from tests.integration.post import Mail, Postbox
from tests.integration.running import RunningAgent

RECIPIENTS = ("ops@example.com", "boss@example.com")
MOST_DEATHS = 4
"""Of one service: a fifth within ten minutes is told as a crash loop instead."""

LEAKY = "leaky"
LEAK = "memory:rss > 50m"


class Chaos:
    """Kills services and the agent at moments that a seed chooses; knows what was done.

    starts  a file with a line for each time that a service was started by the agent
    """

    def __init__(self, folder: Path, workers: Daemons, services: int) -> None:
        self.names = [f"worker-{number}" for number in range(services)]
        self.deaths: Counter[str] = Counter()
        self.turns = 0
        self.starts = folder / "starts"
        self._workers = workers
        for name in (*self.names, LEAKY):
            workers.run(name, "leaky" if name == LEAKY else "idle")

    def rules(self) -> str:
        """Each service is started when it is down; the leaky one is only told of."""
        checks = [self._check(name) + "  if down then start, alert\n" for name in self.names]
        return "".join(checks) + self._workers.check(LEAKY) + f"  if {LEAK} then alert\n"

    def strike(self, agent: RunningAgent, dice: random.Random) -> int:
        """Kills services, and the agent in the midst of what follows; how often the agent.

        A service may die while there is no agent, and the next agent while it starts.
        """
        *first, last = self._victims(dice, dice.randint(2, 3))
        for name in first:
            self._kill(name)
            _pass(agent, dice.randrange(4))
        if dice.random() < 0.5:
            self._turn_leak()
        _pass(agent, dice.randrange(24))
        time.sleep(dice.uniform(0.0, 0.01))  # a random moment is what this is about
        agent.kill()
        if dice.random() < 0.3:
            self._kill(last)
        if dice.random() < 0.7:
            return 1
        agent.launch()
        _pass(agent, dice.randrange(16))
        agent.kill()
        return 2

    def expected(self) -> Mapping[str, Sequence[str]]:
        """What each recipient must be told of each service, in this order."""
        lives = {name: self.deaths[name] for name in self.names}
        told: dict[str, Sequence[str]] = {}
        for name, deaths in lives.items():
            told[f"{name}: process"] = ["not running", "running again"] * deaths
            told[f"{name}: rule"] = ["CRITICAL", "RECOVERED"] * deaths
        told[f"{LEAKY}: rule"] = (["CRITICAL", "RECOVERED"] * self.turns)[: self.turns]
        return {key: words for key, words in told.items() if words}

    def _check(self, name: str) -> str:
        count = f'echo {name} >> {shlex.quote(str(self.starts))}; exec \\"$@\\"'
        check = self._workers.check(name, also="timeout 5s, restarts 100/10m")
        return check.replace('start "', f"start \"/bin/sh -c '{count}' sh ")

    def _victims(self, dice: random.Random, count: int) -> list[str]:
        return dice.sample([n for n in self.names if self.deaths[n] < MOST_DEATHS], count)

    def _kill(self, name: str) -> None:
        os.kill(self._workers.pid(name), signal.SIGKILL)
        self.deaths[name] += 1

    def _turn_leak(self) -> None:
        number = signal.SIGUSR2 if self.turns % 2 else signal.SIGUSR1
        os.kill(self._workers.pid(LEAKY), number)
        self.turns += 1


def told(mails: Sequence[Mail], recipient: str) -> Mapping[str, Sequence[str]]:
    """What a recipient was told of each service; a letter that came twice counts once."""
    once = {mail.id: mail for mail in mails if mail.recipient == recipient}
    heard: dict[str, list[str]] = {}
    for mail in once.values():
        for headline in mail.headlines:
            word, _, rest = headline.partition(" ")
            name, _, what = rest.partition(": ")
            if what in ("not running", "running again"):
                heard.setdefault(f"{name}: process", []).append(what)
            elif what in ("down", LEAK):
                heard.setdefault(f"{name}: rule", []).append(word)
    return heard


def repeated(lives: Sequence[Sequence[Mail]], recipient: str) -> list[int]:
    """How many letters of each life of the agent had been told before."""
    known: set[str] = set()
    repeats = []
    for mails in lives:
        mine = [mail.id for mail in mails if mail.recipient == recipient]
        repeats.append(len(mine) - len(set(mine) - known))
        known |= set(mine)
    return repeats


def all_told(chaos: Chaos, post: Postbox) -> list[Mail]:
    """Waits until everybody was told everything; all letters."""
    expected = chaos.expected()
    return post.until(
        lambda mails: all(
            len(told(mails, recipient).get(key, ())) >= len(words)
            for recipient in RECIPIENTS
            for key, words in expected.items()
        )
    )


def _pass(agent: RunningAgent, lines: int) -> None:
    """Lets the agent log so many lines more, or be quiet."""
    wanted = len(agent.log.lines) + lines
    quiet = time.monotonic() + 0.4

    def passed() -> bool:
        return len(agent.log.lines) >= wanted or time.monotonic() > quiet

    agent.log.until(passed, lambda: "time stands still")
