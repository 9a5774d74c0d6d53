"""A picture of embeddings: windows on a plane, by their class and by their subject."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence, Sized
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from .figure import new_figure, short

__all__ = ['ShownEmbedding', 'draw_embeddings']

SHAPES = 'os^DvPX*'
FILLS = ('full', 'none', 'left')  # with the shapes, 24 groups are told apart without colour
HUES = tuple(f'C{number}' for number in range(8))


@dataclass(frozen=True)
class ShownEmbedding:
    """Windows as one network places them.

    Attributes:
        name (str): Of the network.
        role (str): 'student' or 'teacher'.
        places (ndarray): On the plane, ``(n, 2)``.
        groups (dict[str, tuple[str, ...]]): By title, as 'class' and 'subject', the group of every window, empty for none.
        separations (dict[str, float | None]): By title, the silhouette of the groups; None where there is none.
    """

    name: str
    role: str
    places: NDArray
    groups: dict[str, tuple[str, ...]]
    separations: dict[str, float | None]


def draw_embeddings(embeddings: Sequence[ShownEmbedding], title: str) -> Any:
    """Draw a column for each network and a row for each way to group the windows, groups as shapes.

    Args:
        embeddings (Sequence[ShownEmbedding]): Of the same windows and groups, at least one.
        title (str): A line above.

    Returns:
        matplotlib.figure.Figure: See :func:`~mmkd_plugin.visualization.save_figure`.

    Raises:
        ImportError: matplotlib is not installed.
    """
    groupings, count = embeddings[0].groups, len(embeddings)
    looks = {name: _marks(groups) for name, groups in groupings.items()}
    key = 1.4 * max(_columns(marks) for marks in looks.values())  # inches beside the networks
    figure = new_figure(figsize=(3.2 * count + key, 0.8 + 3.3 * len(groupings)), layout='constrained')
    axes = figure.subplots(len(groupings), count + 1, squeeze=False, gridspec_kw=dict(width_ratios=[3.2] * count + [key]))
    for row, (name, marks) in zip(axes, looks.items()):
        for ax, each in zip(row, embeddings):
            _draw_groups(ax, each, name, marks)
        handles, labels = row[0].get_legend_handles_labels()
        row[-1].axis('off')
        row[-1].legend(handles, labels, title=name, loc='upper left', ncols=_columns(marks), fontsize=7, title_fontsize=8)
    figure.suptitle(
        f'{short(title, 70)}\nt-SNE of each network: windows beside one another are alike\nto it, far distances mean nothing',
        fontsize=9,
    )
    return figure


def _columns(marks: Sized) -> int:
    return 1 if len(marks) < 13 else 2


def _marks(groups: Sequence[str]) -> dict[str, dict[str, str]]:
    """Return the look of each group in the order of their names; of more than there are looks, those with most windows."""
    counts, room = Counter(filter(None, groups)), len(SHAPES) * len(FILLS)
    names = sorted(sorted(counts, key=lambda name: (-counts[name], name))[:room])
    return {
        name: dict(marker=SHAPES[place % 8], fillstyle=FILLS[place // 8], color=HUES[place % 8])
        for place, name in enumerate(names)
    }


def _draw_groups(ax: Any, each: ShownEmbedding, title: str, marks: dict[str, dict[str, str]]) -> None:
    groups = each.groups[title]
    others = [row for row, name in enumerate(groups) if name not in marks]
    if others:
        count = len({groups[row] for row in others if groups[row]})
        label = f'{count} more' if count else 'of no known one'
        ax.plot(*each.places[others].T, '.', color='#888888', ms=3, label=label)
    for name, look in marks.items():
        rows = [row for row, own in enumerate(groups) if own == name]
        ax.plot(*each.places[rows].T, linestyle='none', ms=4, mew=0.7, label=short(name, 16), **look)
    ax.set_xticks([])  # places on the plane have no unit
    ax.set_yticks([])
    ax.set_aspect('equal', adjustable='datalim')
    value = each.separations[title]
    name = each.role if each.name == each.role else f'{each.role} {short(each.name)}'
    ax.set_title(f'{name} by {title}' + ('' if value is None else f', silhouette {value:.2f}'), fontsize=9)
