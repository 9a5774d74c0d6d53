"""The critical-difference diagram of methods over data sets (Demšar, JMLR 2006), drawn by scikit-posthocs."""

from __future__ import annotations

import io
from importlib.util import find_spec

from ..statistics import ALPHA, Ranks, require

__all__ = ['draw_ranks']


def draw_ranks(ranks: Ranks) -> bytes | None:
    """Draw mean ranks, with a bar over methods that Nemenyi's test cannot tell apart.

    Args:
        ranks (Ranks): From :func:`~mmkd_plugin.experiments.statistics.rank_methods`.

    Returns:
        bytes, optional: An SVG; None where there was no test, or matplotlib is not installed.
    """
    if not ranks.nemenyi or find_spec('matplotlib') is None:
        return None
    from matplotlib import rc_context
    from matplotlib.figure import Figure  # not pyplot, which looks for a screen

    pandas, posthocs = require('pandas'), require('scikit_posthocs')
    matrix = pandas.DataFrame(ranks.nemenyi).loc[list(ranks.ranks), list(ranks.ranks)]
    figure = Figure(figsize=(8, 1.2 + 0.22 * len(ranks.ranks)))
    with rc_context({'svg.hashsalt': 'mmkd', 'svg.fonttype': 'none'}):  # the same ranks give the same bytes
        posthocs.critical_difference_diagram(ranks.ranks, matrix, ax=figure.subplots(), alpha=ALPHA)
        buffer = io.BytesIO()
        figure.savefig(buffer, format='svg', bbox_inches='tight', metadata={'Date': None})
    return buffer.getvalue()
