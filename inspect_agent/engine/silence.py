"""Deploy windows and unmonitored services: when nothing is judged, told or repaired.

Windows of names and the global one stand side by side. When one ends, by itself or by hand, what
it covered settles for some cycles, still silent; then whatever is wrong is told. The name of a
template (`sidekiq@*`) covers its instances, also those that are still to come.
"""

from __future__ import annotations

from inspect_agent.model.target import template_of
from inspect_agent.typed import NamedTuple

ALL = ""
"""The name of the window that covers everything, the machine included."""


class Silence(NamedTuple):
    """What is silent, and until when nobody knows whether that is all.

    windows      name → when it ends
    settling     name → cycles left
    unmonitored  names
    doubt_until  state was lost: before then nothing is repaired; 0.0: it was not
    """

    windows: tuple[tuple[str, float], ...] = ()
    settling: tuple[tuple[str, int], ...] = ()
    unmonitored: tuple[str, ...] = ()
    doubt_until: float = 0.0


def start(silence: Silence, names: tuple[str, ...], until: float) -> Silence:
    """Opens windows of these names (none: the global one); an open one gets the new end."""
    opened = tuple(dict.fromkeys(names)) or (ALL,)
    kept = tuple(window for window in silence.windows if window[0] not in opened)
    settling = tuple(item for item in silence.settling if item[0] not in opened)
    return silence._replace(windows=(*kept, *((name, until) for name in opened)), settling=settling)


def finish(silence: Silence, names: tuple[str, ...], settle: int) -> Silence:
    """Closes the windows of these names, a template's with those of its instances.

    Without names all are closed, and whoever says so is in no doubt.
    """
    ended = tuple(name for name, _ in silence.windows if not names or _meant(name, names))
    if not names:
        silence = silence._replace(doubt_until=0.0)
    return _end(silence, ended, settle)


def expire(silence: Silence, now: float, settle: int) -> tuple[Silence, tuple[str, ...]]:
    """Closes windows whose time is over; their names, for they say so themselves."""
    ended = tuple(name for name, until in silence.windows if until <= now)
    if silence.doubt_until and silence.doubt_until <= now:
        silence = silence._replace(doubt_until=0.0)
    return (_end(silence, ended, settle) if ended else silence), ended


def doubt(silence: Silence, until: float) -> Silence:
    """What was silent was lost, in part at least: nothing is repaired before then."""
    return silence._replace(doubt_until=max(silence.doubt_until, until))


def cycle_over(silence: Silence) -> Silence:
    """One cycle of settling has passed."""
    if not silence.settling:
        return silence
    left = tuple((name, cycles - 1) for name, cycles in silence.settling if cycles > 1)
    return silence._replace(settling=left)


def unmonitor(silence: Silence, name: str) -> Silence:
    """Leaves a service alone until `monitor`."""
    others = tuple(other for other in silence.unmonitored if other != name)
    return silence._replace(unmonitored=(*others, name))


def monitor(silence: Silence, name: str, settle: int) -> Silence:
    """Watches a service again, after settling; with a template also its instances."""
    ended = tuple(other for other in silence.unmonitored if _meant(other, (name,)))
    if not ended:
        return silence
    others = tuple(other for other in silence.unmonitored if other not in ended)
    return _settle(silence._replace(unmonitored=others), ended, settle)


def in_window(silence: Silence, name: str) -> bool:
    """Whether a deploy window is open over a service (or, with ALL, over the machine)."""
    over = (ALL, name, template_of(name))
    return any(window in over for window, _ in silence.windows)


def in_doubt(silence: Silence) -> bool:
    """Whether a window may be open, or a service left alone, of which nobody knows."""
    return silence.doubt_until > 0.0


def names(silence: Silence) -> tuple[str, ...]:
    """What has a window of its own, or is left alone; it need not be watched any more."""
    return (*(name for name, _ in silence.windows if name != ALL), *silence.unmonitored)


def is_unmonitored(silence: Silence, name: str) -> bool:
    """Whether a service is left alone, by its own name or its template's."""
    return name in silence.unmonitored or template_of(name) in silence.unmonitored


def covers(silence: Silence, name: str) -> bool:
    """Whether nothing is judged, told or repaired for `name` in this cycle."""
    if silence == NOTHING:
        return False
    over = (ALL, name, template_of(name))
    return (
        in_window(silence, name)
        or is_unmonitored(silence, name)
        or any(settling in over for settling, _ in silence.settling)
    )


def _meant(name: str, names: tuple[str, ...]) -> bool:
    return name in names or template_of(name) in names


def _end(silence: Silence, ended: tuple[str, ...], settle: int) -> Silence:
    kept = tuple(window for window in silence.windows if window[0] not in ended)
    return _settle(silence._replace(windows=kept), ended, settle)


def _settle(silence: Silence, names: tuple[str, ...], settle: int) -> Silence:
    if settle <= 0:
        return silence
    kept = tuple(item for item in silence.settling if item[0] not in names)
    return silence._replace(settling=(*kept, *((name, settle) for name in names)))


NOTHING = Silence()
