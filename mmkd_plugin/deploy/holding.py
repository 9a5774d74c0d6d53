"""Decisions of a stream, one after another: votes of windows that overlap, and classes that are held."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mmkd_plugin.structures import check_number, check_whole

from .decisions import Decision, average_votes

__all__ = ['Hold', 'RunningVotes']


class RunningVotes:
    """Votes as of :func:`~.decisions.average_votes` on a recording, given out when no later window can change them."""

    def __init__(self) -> None:
        self._open: list[Decision] = []
        self._until = -float('inf')  # stretches that end up to here have been given out

    def add(self, decision: Decision) -> list[Decision]:
        """Take the next window, and return the stretches that end where it begins or before."""
        return self._close([*self._open, decision], round(decision.start, 6))

    def end(self) -> list[Decision]:
        """Return the last stretches."""
        return self._close(self._open, float('inf'))

    def _close(self, decisions: Sequence[Decision], until: float) -> list[Decision]:
        stretches = [each for each in average_votes(decisions) if each.start >= self._until and each.end <= until]
        self._open = [decision for decision in decisions if round(decision.end, 6) > until]
        self._until = max(self._until, until)
        return stretches


@dataclass
class Hold:
    """A class that changes only when another one has shown itself; by default, the most probable class counts at once.

    Attributes:
        threshold (float): Probability that the other class must have in each of the decisions.
        count (int): Decisions in a row that must have the other class first.
        minimum (float): Seconds for which a class stays at least, from the start of the decision that has brought it.

    Raises:
        ValueError: A value is out of range.
    """

    threshold: float = 0.0
    count: int = 1
    minimum: float = 0.0

    def __post_init__(self) -> None:
        check_number('threshold', self.threshold, high=1)
        check_whole('hold', self.count)
        check_number('minimum', self.minimum)
        self.begin()

    def begin(self) -> None:
        """Forget the class: a recording begins, and takes that of its first decision."""
        self._held: int | None = None
        self._other, self._seen, self._since = -1, 0, 0.0

    def choose(self, decision: Decision) -> int:
        """Return the index of the class that counts with this decision."""
        best = int(decision.probabilities.argmax())
        if self._held is None:
            self._held, self._since = best, decision.start
        sure = best != self._held and decision.probabilities[best] >= self.threshold
        self._seen = 0 if not sure else self._seen + 1 if best == self._other else 1
        self._other = best if sure else -1
        if self._seen >= self.count and decision.start - self._since >= self.minimum - 1e-9:
            self._held, self._since, self._seen, self._other = best, decision.start, 0, -1
        return self._held
