"""Notes about what occurs in many files of one part, each kind in one sentence."""

from __future__ import annotations

__all__ = ['Tally']


class Tally:
    """Counts of repairs and oddities, by kind.

    Args:
        part (str): Where they are, for the sentences.
    """

    def __init__(self, part: str) -> None:
        self.part = part
        self._kinds: dict[str, list[tuple[str, int]]] = {}  # where and how many

    def add(self, kind: str, place: object, count: int = 1) -> None:
        """Count something.

        Args:
            kind (str): Rest of a sentence that begins with the number: 'row(s) with NaN are left out'.
            place (object): File, file and line, or trial.
            count (int): How many there; nothing is noted for 0.
        """
        if count:
            self._kinds.setdefault(kind, []).append((str(place), count))

    def notes(self) -> list[str]:
        """Return a sentence for each kind, with the first place."""
        return [
            f'{self.part}: {sum(count for _, count in places):,} {kind} ({places[0][0]}'
            f'{f" and {len(places) - 1:,} more" if len(places) > 1 else ""})'
            for kind, places in self._kinds.items()
        ]
