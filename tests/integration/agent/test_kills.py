"""The agent is killed with -9 at any moment: what it has promised holds all the same."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.integration import chaos
from tests.integration.chaos import RECIPIENTS, Chaos
from tests.integration.daemons import Daemons
from tests.integration.post import Mail, Postbox
from tests.integration.running import RunningAgent


@pytest.mark.timeout(3000)
@pytest.mark.parametrize(
    ("seed", "kills"),
    [(1, 6), *(pytest.param(seed, 30, marks=pytest.mark.acceptance) for seed in (2, 3))],
)
def test_kills(seed: int, kills: int, tmp_path: Path, workers: Daemons, post: Postbox) -> None:
    """Every alert arrives in order, one letter a kill is repeated at most, no start is doubled."""
    dice, trouble = random.Random(seed), Chaos(tmp_path, workers, services=kills)
    sends = "\n".join(post.send(to=recipient) for recipient in RECIPIENTS)
    struck: list[int] = []
    lives: list[list[Mail]] = []
    with RunningAgent(tmp_path / "agent", trouble.rules(), sends) as agent:
        for _ in range(kills):
            struck.append(trouble.strike(agent, dice))
            agent.start()
            before = sum(map(len, lives))
            chaos.all_told(trouble, post)
            agent.until(lambda status: not status["alerts"])
            post.rest()
            lives.append(post.read[before:])

        for recipient in RECIPIENTS:
            assert chaos.told(post.read, recipient) == trouble.expected()
            repeats = chaos.repeated(lives, recipient)
            assert all(again <= often for again, often in zip(repeats, struck, strict=True))
        assert sorted(trouble.starts.read_text().split()) == sorted(trouble.deaths.elements())
