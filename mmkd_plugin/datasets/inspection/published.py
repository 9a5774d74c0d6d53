"""Whether a download is whole: what came of each part, beside what is known of the published files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..readers import Reader
from ..windows import cut_windows

__all__ = ['HEAD', 'Check', 'check_parts', 'conclude', 'format_check']

FIGURES = ('recordings', 'samples', 'rows', 'windows', 'bytes')
HEAD = ' '.join([f'{"part":20}', *(f'{key:>20}' for key in FIGURES)])  # the line above those of format_check


@dataclass(frozen=True)
class Check:
    """One part of a data set.

    Attributes:
        part (str): Its name.
        came (dict[str, int | None]): ``recordings`` and ``samples`` after reading, ``rows``, ``windows`` and ``bytes``; None
            for what the reader does not tell. Empty if the part is not there.
        expected (dict[str, int]): The same of the published part, as far as it is known.
    """

    part: str
    came: dict[str, int | None]
    expected: dict[str, int]

    @property
    def compared(self) -> list[str]:
        """What is both known and told."""
        return [key for key in self.expected if self.came.get(key) is not None]

    @property
    def good(self) -> bool:
        """Whether the part is there and nothing differs."""
        return bool(self.came) and all(self.came[key] == self.expected[key] for key in self.compared)


def check_parts(reader: Reader) -> Iterator[Check]:
    """Read part by part, and compare each with what the reader knows of the published files.

    ``known`` may have, of a part,

    - ``recordings`` and their ``samples``, after reading,
    - ``rows``: what the reader's ``rows(part)`` counts,
    - ``windows``: of its recordings, cut by the reader's ``published_windows``,
    - ``bytes``: the sizes of the reader's ``files_of(part)`` together.

    What is known and not counted is not compared. A part that is known and not there differs.

    Raises:
        FileNotFoundError: The data are not there.
        ValueError: A file is damaged, or ``known`` has something else.
    """
    known, there = reader.known, reader.parts()
    wrong = sorted({key for facts in known.values() for key in facts} - set(FIGURES))
    if wrong:
        raise ValueError(f'{type(reader).__name__}.known has {", ".join(wrong)}; it may have {", ".join(FIGURES)}')
    for part in [*there, *(part for part in known if part not in there)]:
        yield Check(part, _count(reader, part) if part in there else {}, known.get(part, {}))


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
    """One line: the counts, beside them what was expected where it differs, and whether the part is as published."""
    cells = []
    for key in FIGURES:
        came, expected = check.came.get(key), check.expected.get(key)
        cell = '-' if came is None else f'{came:,}'
        cells.append(cell if key not in check.compared or came == expected else f'{cell}, not {expected:,}')
    said = 'not there' if not check.came else '' if not check.compared else 'ok' if check.good else 'differs'
    return ' '.join([f'{check.part:20}', *(f'{cell:>20}' for cell in cells), f' {said}']).rstrip()


def conclude(checks: Sequence[Check]) -> tuple[str, list[str]]:
    """What all parts together say: a sentence, and the names of those that are not as published."""
    known = [check for check in checks if check.expected]
    if not known:
        return 'the reader knows nothing of the published files: these are counts', []
    wrong = [check.part for check in known if not check.good]
    said = f'{sum(check.good and bool(check.compared) for check in known)} of {len(known)} known part(s) are as published'
    if len(checks) > len(known):
        said += f'; nothing is known of {len(checks) - len(known)} more'
    left_out = sorted({key for check in known if check.came for key in check.expected if key not in check.compared})
    if left_out:
        said += f'; not compared, because the reader does not count them: {", ".join(left_out)}'
    return said, wrong
