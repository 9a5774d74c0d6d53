"""Check of a download: the counts of each part, compared with the published ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..readers import Reader
from ..windows import cut_windows

__all__ = ['HEAD', 'Check', 'check_parts', 'conclude', 'format_check']

COUNTS = ('recordings', 'samples', 'rows', 'windows', 'bytes')
HEAD = ' '.join([f'{"part":20}', *(f'{key:>20}' for key in COUNTS)])  # heading of the lines of format_check


@dataclass(frozen=True)
class Check:
    """Comparison of one part of a data set with its published form.

    Attributes:
        part (str): Its name.
        counts (dict[str, int | None]): ``recordings`` and ``samples`` after reading, ``rows``, ``windows`` and ``bytes``; None
            where the reader does not count them. Empty if the part is missing.
        expected (dict[str, int]): Counts of the published part, as far as they are known.
    """

    part: str
    counts: dict[str, int | None]
    expected: dict[str, int]

    @property
    def compared(self) -> list[str]:
        """Names of the counts that are known and counted."""
        return [key for key in self.expected if self.counts.get(key) is not None]

    @property
    def good(self) -> bool:
        """Whether the part exists and no count differs."""
        return bool(self.counts) and all(self.counts[key] == self.expected[key] for key in self.compared)


def check_parts(reader: Reader) -> Iterator[Check]:
    """Read part by part, and compare each with the published files.

    ``known`` of a reader may have, for each part,

    - ``recordings`` and their ``samples``, after reading,
    - ``rows``: what the reader's ``rows(part)`` counts,
    - ``windows``: of its recordings, cut by the reader's ``published_windows``,
    - ``bytes``: the sizes of the reader's ``files_of(part)`` together.

    Known numbers that the reader does not count are not compared. A known part that is missing differs.

    Raises:
        FileNotFoundError: The data do not exist.
        ValueError: A file is damaged, or ``known`` has another key.
    """
    known, parts = reader.known, reader.parts()
    wrong = sorted({key for facts in known.values() for key in facts} - set(COUNTS))
    if wrong:
        raise ValueError(f'{type(reader).__name__}.known has {", ".join(wrong)}; it may have {", ".join(COUNTS)}')
    for part in [*parts, *(part for part in known if part not in parts)]:
        yield Check(part, _count(reader, part) if part in parts else {}, known.get(part, {}))


def _count(reader: Reader, part: str) -> dict[str, int | None]:
    recordings, cut, files = reader.read(part).recordings, reader.published_windows, reader.files_of(part)
    return dict(
        recordings=len(recordings),
        samples=sum(len(r.signal) for r in recordings),
        rows=reader.rows(part),
        windows=None if cut is None else len(cut_windows(recordings, range(len(recordings)), cut['window'], cut['step'])[0]),
        bytes=None if files is None else sum(path.stat().st_size for path in files),
    )


def format_check(check: Check) -> str:
    """Format one line: the counts, beside them the expected ones where they differ, and a verdict."""
    cells = []
    for key in COUNTS:
        count, expected = check.counts.get(key), check.expected.get(key)
        cell = '-' if count is None else f'{count:,}'
        cells.append(cell if key not in check.compared or count == expected else f'{cell}, not {expected:,}')
    verdict = 'missing' if not check.counts else '' if not check.compared else 'ok' if check.good else 'differs'
    return ' '.join([f'{check.part:20}', *(f'{cell:>20}' for cell in cells), f' {verdict}']).rstrip()


def conclude(checks: Sequence[Check]) -> tuple[str, list[str]]:
    """Return a sentence about all parts, and the names of those that are not as published."""
    known = [check for check in checks if check.expected]
    if not known:
        return 'the reader knows nothing of the published files: these are counts', []
    wrong = [check.part for check in known if not check.good]
    sentence = f'{sum(check.good and bool(check.compared) for check in known)} of {len(known)} known part(s) are as published'
    if len(checks) > len(known):
        sentence += f'; nothing is known of {len(checks) - len(known)} more'
    left_out = sorted({key for check in known if check.counts for key in check.expected if key not in check.compared})
    if left_out:
        sentence += f'; not compared, because the reader does not count them: {", ".join(left_out)}'
    return sentence, wrong
