"""The samples of a metric as a line of bars."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspect_agent.export import sparkline
from inspect_agent.model.metric import Unit

MB = 1024.0 * 1024.0


def shown(values: list[float], unit: Unit = "bytes", reason: str = "") -> dict[str, Any]:
    """What `show` answers."""
    return {
        "target": "sidekiq",
        "metric": "memory:rss",
        "unit": unit,
        "values": values,
        "reason": reason,
    }


def test_bars_and_figures() -> None:
    """Oldest first; what the lowest, highest, average and latest sample are."""
    samples = [mb * MB for mb in (100, 150, 200, 450, 120)]
    assert sparkline.render(shown(samples)) == (
        "memory:rss ▁▂▃█▁\nmin 100.00m, max 450.00m, avg 204.00m, now 120.00m (5 samples)\n"
    )


def test_the_latest_sixty_are_drawn() -> None:
    """The figures are of all."""
    text = sparkline.render(shown([float(number) for number in range(240)], "count"))
    first, second = text.splitlines()
    assert first == "memory:rss " + sparkline.bars([float(number) for number in range(180, 240)])
    assert second == "min 0, max 239, avg 119.50, now 239 (240 samples)"


def test_without_samples_there_is_the_reason() -> None:
    """On one line."""
    assert (
        sparkline.render(shown([], reason="not running")) == "memory:rss: no data (not running)\n"
    )


@pytest.mark.parametrize(
    ("samples", "bars"),
    [
        ([5.0], "▁"),
        ([5.0, 5.0, 5.0], "▁▁▁"),
        ([0.0, 1.0], "▁█"),
        ([1.0, 0.0], "█▁"),
        ([float(number) for number in range(8)], "▁▂▃▄▅▆▇█"),
        ([-7.0, 0.0], "▁█"),
    ],
)
def test_bars_go_from_the_lowest_to_the_highest(samples: list[float], bars: str) -> None:
    """Of these samples; all the same are all low."""
    assert sparkline.bars(samples) == bars


@given(st.lists(st.floats(-(2.0**99), 2.0**99, width=32), min_size=1, max_size=60))
def test_any_samples_make_a_bar_each(samples: list[float]) -> None:
    """Higher samples never have lower bars."""
    bars = sparkline.bars(samples)
    assert len(bars) == len(samples)
    ordered = [bar for _, bar in sorted(zip(samples, bars, strict=True))]
    assert ordered == sorted(ordered)
