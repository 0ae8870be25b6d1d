"""Charts as SVG: bars that lie, with their spread, and lines.

An SVG in a page can't know whether the page is light or dark, so every colour is one that stands out from both, and
the ground is left open.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor, log10
from typing import Final

from benchmarks.figures import Spread
from benchmarks.result import written

# Of 4 to 5 times the luminance difference to white as well as to a near black.
_INK: Final = "#737b85"
_GRID: Final = "#8b949e"
_OURS: Final = "#1f83d1"
_PEER: Final = "#a37a4a"
_FONT: Final = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif"

_WIDTH: Final = 760
_LABELS: Final = 250
_FIGURES: Final = 70
_ROW: Final = 22
_BAR: Final = 14
_GAP: Final = 12
_TOP: Final = 52
_BOTTOM: Final = 34
_LINE_HEIGHT: Final = 240
_TICKS: Final = 5


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: the median, and a whisker from the lowest to the highest.

    Attributes:
        is_ours: drawn in the colour of the store.
    """

    label: str
    spread: Spread
    is_ours: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """Bars that belong together, under a heading; "" is none."""

    heading: str
    bars: Sequence[Bar]


def bars(title: str, unit: str, groups: Sequence[Group]) -> str:
    """A chart of lying bars.

    Raises:
        ValueError: there is nothing to draw.
    """
    shown = [group for group in groups if group.bars]
    if not shown:
        raise ValueError(f"nothing to draw for {title!r}")
    top = max(bar.spread.high for group in shown for bar in group.bars)
    ticks = ticks_to(top)
    room = _WIDTH - _LABELS - _FIGURES
    scale = room / max(ticks[-1], top)
    parts: list[str] = []
    y = float(_TOP)
    for number, group in enumerate(shown):
        if number:
            y += _GAP
        if group.heading:
            parts.append(_text(0, y + 15, group.heading, weight=600))
            y += _ROW
        for bar in group.bars:
            parts += _bar(bar, y, scale)
            y += _ROW
    grid = [_tick(tick, _LABELS + tick * scale, _TOP - 4, y + 4) for tick in ticks]
    return _svg(title, unit, y + _BOTTOM, [*grid, *parts])


def line(title: str, unit: str, across: str, points: Sequence[tuple[float, float]]) -> str:
    """A chart of one line, from the left to the right.

    Args:
        unit: of what goes up.
        across: what goes to the right, and its unit.
        points: at least two, by the first figure.

    Raises:
        ValueError: there are fewer.
    """
    if len(points) < 2:
        raise ValueError(f"a line needs two points, and {title!r} has {len(points)}")
    left, right = 70, _WIDTH - 40
    bottom = _TOP + _LINE_HEIGHT
    ups = ticks_to(max(y for _, y in points))
    asides = ticks_to(max(x for x, _ in points))
    reach = max(asides[-1], points[-1][0])

    def place(x: float, y: float) -> tuple[float, float]:
        return left + (right - left) * x / reach, bottom - _LINE_HEIGHT * y / ups[-1]

    parts = [_level(tick, left, right, place(0, tick)[1]) for tick in ups]
    parts += [
        _text(place(tick, 0)[0], bottom + 18, written(int(tick)) if tick >= 1 else "0", anchor="middle", size=11)
        for tick in asides
    ]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in (place(*point) for point in points))
    parts.append(f'<polyline points="{path}" fill="none" stroke="{_OURS}" stroke-width="2" stroke-linejoin="round"/>')
    parts.append(_text((left + right) / 2, bottom + 38, across, anchor="middle", size=12))
    return _svg(title, unit, bottom + 50, parts)


def ticks_to(top: float) -> list[float]:
    """Round figures from 0 to at least ``top``, about five of them.

    Raises:
        ValueError: ``top`` is not above 0.
    """
    if top <= 0:
        raise ValueError("a chart needs a figure above 0")
    rough = top / _TICKS
    unit = 10.0 ** floor(log10(rough))
    step = next(factor * unit for factor in (1, 2, 2.5, 5, 10) if factor * unit >= rough)
    # One division more than rounding may have lost.
    count = ceil(round(top / step, 9))
    return [round(number * step, 10) for number in range(count + 1)]


def _bar(bar: Bar, y: float, scale: float) -> list[str]:
    colour = _OURS if bar.is_ours else _PEER
    middle = y + _ROW / 2
    spread = bar.spread
    length = max(spread.median * scale, 1)
    parts = [
        _text(_LABELS - 8, middle + 4, bar.label, anchor="end", weight=600 if bar.is_ours else 400),
        f'<rect x="{_LABELS}" y="{middle - _BAR / 2:.1f}" width="{length:.1f}" height="{_BAR}" fill="{colour}"/>',
    ]
    if len(spread.values) > 1:
        low, high = _LABELS + spread.low * scale, _LABELS + spread.high * scale
        end = _LABELS + length
        inside = f"M{end:.1f} {middle}H{low:.1f}M{low:.1f} {middle - 4}v8"
        outside = f"M{end:.1f} {middle}H{high:.1f}M{high:.1f} {middle - 4}v8"
        parts += [
            f'<path d="{inside}" fill="none" stroke="#fff" stroke-opacity="0.75" stroke-width="1.5"/>',
            f'<path d="{outside}" fill="none" stroke="{_INK}" stroke-width="1.5"/>',
        ]
    end = _LABELS + max(spread.high, spread.median) * scale
    parts.append(_text(end + 6, middle + 4, written(spread.median), weight=600 if bar.is_ours else 400))
    return parts


def _tick(tick: float, x: float, top: float, bottom: float) -> str:
    return f'<path d="M{x:.1f} {top:.1f}V{bottom:.1f}" stroke="{_GRID}" stroke-opacity="0.35"/>' + _text(
        x, bottom + 16, _round(tick), anchor="middle", size=11
    )


def _level(tick: float, left: float, right: float, y: float) -> str:
    return f'<path d="M{left} {y:.1f}H{right}" stroke="{_GRID}" stroke-opacity="0.35"/>' + _text(
        left - 8, y + 4, _round(tick), anchor="end", size=11
    )


def _round(tick: float) -> str:
    return f"{tick:,.0f}" if tick >= 10 or tick == int(tick) else f"{tick:g}"


def _text(x: float, y: float, words: str, *, anchor: str = "start", size: int = 12, weight: int = 400) -> str:
    heavy = f' font-weight="{weight}"' if weight != 400 else ""
    place = f'x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}"{heavy}'
    return f"<text {place}>{escape(words, quote=False)}</text>"


def _svg(title: str, unit: str, height: float, parts: Sequence[str]) -> str:
    size = f'viewBox="0 0 {_WIDTH} {height:.0f}" width="{_WIDTH}" height="{height:.0f}"'
    look = f'role="img" aria-label="{escape(title)}" font-family="{escape(_FONT)}" fill="{_INK}"'
    head = [f'<svg xmlns="http://www.w3.org/2000/svg" {size} {look}>', _text(0, 16, title, size=15, weight=600)]
    return "\n".join([*head, _text(0, 34, unit), *parts, "</svg>"]) + "\n"
