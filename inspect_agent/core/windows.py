"""Deploy windows and unmonitored services, as commands open and close them."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from inspect_agent.core.happenings import Happenings
from inspect_agent.core.turn import Telling, Turn
from inspect_agent.engine import silence
from inspect_agent.engine.silence import ALL, Silence


class Windows:
    """Holds the silence; `new_turn` begins a turn at the present moment."""

    def __init__(
        self, telling: Telling, happenings: Happenings, new_turn: Callable[[], Turn]
    ) -> None:
        self.silence = Silence()
        self.settle = 1
        self._telling = telling
        self._happenings = happenings
        self._new_turn = new_turn

    def start(self, names: tuple[str, ...], length_s: float, then: Callable[[], object]) -> None:
        """Opens windows; `then` is called when they would survive the agent."""
        turn = self._new_turn()
        self._change(turn, silence.start(self.silence, names, turn.now + length_s))
        turn.afterwards.append(then)
        self._telling.commit(turn)

    def finish(self, names: tuple[str, ...], then: Callable[[], object]) -> None:
        """Closes windows; without names, all."""
        turn = self._new_turn()
        self._change(turn, silence.finish(self.silence, names, self.settle))
        turn.afterwards.append(then)
        self._telling.commit(turn)

    def unmonitor(self, names: Iterable[str], then: Callable[[], object]) -> None:
        """Leaves services alone until `monitor`."""
        turn = self._new_turn()
        for name in names:
            self._change(turn, silence.unmonitor(self.silence, name))
        turn.afterwards.append(then)
        self._telling.commit(turn)

    def monitor(self, names: Iterable[str], then: Callable[[], object]) -> None:
        """Watches services again."""
        turn = self._new_turn()
        for name in names:
            self._change(turn, silence.monitor(self.silence, name, self.settle))
        turn.afterwards.append(then)
        self._telling.commit(turn)

    def doubt(self, turn: Turn, length_s: float) -> None:
        """What was silent may have been lost; for so long nothing is repaired."""
        self._change(turn, silence.doubt(self.silence, turn.now + length_s))

    def begin_cycle(self, turn: Turn, owner_of: Callable[[str], str]) -> None:
        """Closes the windows whose time is over, and says so to the owners of what they covered."""
        left, ended = silence.expire(self.silence, turn.now, self.settle)
        self._change(turn, left)
        for name in ended:
            what = f"of {name} " if name != ALL else ""
            event = self._happenings.agent(
                "WindowEnded",
                f"window {name}",
                f"the deploy window {what}ended by itself: nobody finished it",
                turn.wall,
                "warning",
            )
            turn.tell_owner(event, owner_of(name))

    def end_cycle(self, turn: Turn) -> None:
        """One cycle of settling has passed."""
        self._change(turn, silence.cycle_over(self.silence))

    def _change(self, turn: Turn, changed: Silence) -> None:
        if changed is not self.silence:
            self.silence = changed
            turn.keep_silence(changed)
