from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from inspect_agent.sources.usage import Key, Spent, Usage

PARENT, CHILD = (10, 1.0), (11, 2.0)


def alive(*keys: Key) -> set[Key]:
    """The processes that exist."""
    return set(keys)


def test_a_child_that_was_waited_for() -> None:
    """What an ended child has used goes over to its parent, and the sum goes on."""
    usage = Usage()
    totals = [
        usage.advance({PARENT: Spent(5, 0), CHILD: Spent(40, 0)}, alive().__contains__),
        usage.advance({PARENT: Spent(6, 41)}, alive().__contains__),
    ]
    assert totals == [45, 47]


def test_an_orphan_that_nobody_waited_for() -> None:
    """What an ended process has used is kept where no process of the set takes it over."""
    usage = Usage()
    totals = [
        usage.advance({PARENT: Spent(5, 0), CHILD: Spent(40, 0)}, alive().__contains__),
        usage.advance({PARENT: Spent(6, 0)}, alive().__contains__),
    ]
    assert totals == [45, 46]


def test_a_zombie_is_counted_once() -> None:
    """A process that is missing but not yet waited for is not counted again when it is."""
    usage = Usage()
    totals = [
        usage.advance({PARENT: Spent(5, 0), CHILD: Spent(40, 0)}, alive().__contains__),
        usage.advance({PARENT: Spent(5, 0)}, alive(CHILD).__contains__),
        usage.advance({PARENT: Spent(5, 40)}, alive().__contains__),
    ]
    assert totals == [45, 45, 45]


def test_an_overlooked_process_comes_back() -> None:
    """A process that one look has missed is not counted anew when it is seen again."""
    usage = Usage()
    totals = [
        usage.advance({PARENT: Spent(5, 0), CHILD: Spent(40, 0)}, alive().__contains__),
        usage.advance({PARENT: Spent(5, 0)}, alive(CHILD).__contains__),
        usage.advance({PARENT: Spent(5, 0), CHILD: Spent(43, 0)}, alive().__contains__),
    ]
    assert totals == [45, 45, 48]


class Family:
    """Processes that work, start others and end; it knows what they have used in truth.

    overlooked   one of them that the next look misses
    """

    def __init__(self) -> None:
        self.spent: dict[Key, list[int]] = {(1, 0.0): [0, 0]}
        self.parents: dict[Key, Key] = {}
        self.zombies: set[Key] = set()
        self.used = 0
        self.overlooked: Key | None = None

    def act(self, deed: str, which: int, amount: int) -> None:
        """One thing happens to one of them."""
        self.overlooked = None
        living = sorted(self.spent.keys() - self.zombies)
        key = living[which % len(living)]
        getattr(self, deed)(key, amount)

    def work(self, key: Key, amount: int) -> None:
        """It uses CPU time."""
        self.spent[key][0] += amount
        self.used += amount

    def fork(self, key: Key, amount: int) -> None:
        """It starts a child."""
        child = (len(self.parents) + 2, float(amount))
        self.spent[child] = [0, 0]
        self.parents[child] = key

    def end(self, key: Key, amount: int) -> None:
        """It ends, and its children become the orphans of a process outside."""
        if key in self.parents:
            self.zombies.add(key)
            for child, parent in self.parents.items():
                if parent == key and child in self.spent:
                    self.parents[child] = (0, 0.0)

    def wait(self, key: Key, amount: int) -> None:
        """It waits for a child that has ended."""
        for zombie in sorted(self.zombies):
            parent = self.spent.get(self.parents[zombie])
            if self.parents[zombie] == key and parent is not None:
                parent[1] += sum(self.spent.pop(zombie))
                self.zombies.discard(zombie)
                return

    def init_waits(self, key: Key, amount: int) -> None:
        """An ended orphan is waited for, outside."""
        for zombie in sorted(self.zombies):
            if self.parents[zombie] not in self.spent:
                del self.spent[zombie]
                self.zombies.discard(zombie)
                return

    def overlook(self, key: Key, amount: int) -> None:
        """It is missing in the next look."""
        self.overlooked = key

    def seen(self) -> dict[Key, Spent]:
        """What a look at the control group shows: no zombies."""
        hidden = {*self.zombies, self.overlooked}
        return {key: Spent(*spent) for key, spent in self.spent.items() if key not in hidden}


DEEDS = ("work", "work", "fork", "end", "wait", "init_waits", "overlook")
STORY = st.lists(st.tuples(st.sampled_from(DEEDS), st.integers(0, 9), st.integers(1, 99)))


@given(STORY)
def test_every_second_is_counted_once(story: list[tuple[str, int, int]]) -> None:
    """However processes come and go, a total that is read after each step is what they used."""
    family, usage = Family(), Usage()
    for deed, which, amount in story:
        family.act(deed, which, amount)
        total = usage.advance(family.seen(), family.spent.__contains__)
        assert total == family.used


@given(STORY, st.lists(st.booleans(), min_size=1))
def test_a_total_never_falls(story: list[tuple[str, int, int]], reads: list[bool]) -> None:
    """However seldom it is read, a total only grows, and never beyond what was used."""
    family, usage, last = Family(), Usage(), 0.0
    for step, (deed, which, amount) in enumerate(story):
        family.act(deed, which, amount)
        if reads[step % len(reads)]:
            total = usage.advance(family.seen(), family.spent.__contains__)
            assert last <= total <= family.used
            last = total
