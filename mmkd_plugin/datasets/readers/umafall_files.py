"""Files of UMAFall: one trial each, whose first lines say who did what, and which sensor was worn where."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .text import damaged, read_numbers, read_text, split_lines

__all__ = ['KINDS', 'MOVEMENTS', 'POSITIONS', 'Trial', 'count_rows', 'name_of', 'read_trial']

POSITIONS = ('wrist', 'waist', 'ankle', 'chest')
KINDS = ('acc', 'gyr', 'mag')  # the column 'Sensor Type' is the place in this list
MOVEMENTS = {
    **dict(Aplausing='applauding', Bending='bending', GoDownstairs='going_downstairs', GoUpstairs='going_upstairs'),
    **dict(HandsUp='raising_hands', Hopping='hopping', Jogging='jogging', LyingDown_OnABed='lying_down'),
    **dict(MakingACall='making_a_call', OpeningDoor='opening_a_door', Sitting_GettingUpOnAChair='sitting_and_getting_up'),
    **dict(Walking='walking', backwardFall='falling_backward', forwardFall='falling_forward', lateralFall='falling_sideways'),
}
NAME = re.compile(r'UMAFall_Subject_(\d+)_(?:ADL|Fall)_(\w+?)_\d+_\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d\.csv')
COLUMNS = ('timestamp', 'sample', 'x', 'y', 'z', 'sensor type', 'sensor ID')
TAG = re.compile(r'%\s*(?:[0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}\s*;\s*(\d+)\s*;\s*(\w+)\s*;.*')
MOVEMENT = re.compile(r'%\s*Description of the movement:\s*(\w+)')
PHONE = 0  # the sensor of the phone in the pocket, 200 Hz of acceleration alone


@dataclass(frozen=True)
class Trial:
    """Content of a file.

    Attributes:
        positions (dict[str, int]): Sensor of each position.
        table (ndarray): Rows, ``(n, 7)`` of the file's columns.
        first (int): Line of the first row.
    """

    positions: dict[str, int]
    table: NDArray
    first: int

    def rows(self, position: str, kind: str) -> NDArray:
        """Return the indices of the rows of one sensor."""
        sensor = self.positions.get(position)
        return np.flatnonzero((self.table[:, 6] == sensor) & (self.table[:, 5] == KINDS.index(kind)))


def name_of(path: Path) -> tuple[str, str]:
    """Return subject and movement by the name of a file.

    Raises:
        ValueError: The name is of another form, or the movement is unknown.
    """
    name = NAME.fullmatch(path.name)
    if not name:
        raise ValueError(f'{path}: expected a name as UMAFall_Subject_01_ADL_Walking_1_2016-06-13_20-27-49.csv')
    if name[2] not in MOVEMENTS:
        raise ValueError(f'{path}: the movement is {name[2]!r}, expected one of {", ".join(MOVEMENTS)}')
    return str(int(name[1])), name[2]


def read_trial(path: Path) -> Trial:
    """Read a file.

    Raises:
        ValueError: It is damaged; the message is ``<file>:<line>: <what came, what was expected>``.
    """
    data = read_text(path)
    rest = re.search(rb'^[ \t]*[^%;\s]', data, re.MULTILINE)
    head = split_lines(path, data[: rest.start()] if rest else data)
    positions, movement = {}, None
    for number, line in enumerate(head, 1):
        if tag := TAG.match(line):
            positions[tag[2].lower()] = int(tag[1])
        if description := MOVEMENT.match(line):
            movement = description[1]
            if movement != name_of(path)[1]:
                raise damaged(path, number, f'the movement is {movement!r}, and {name_of(path)[1]!r} in the name of the file')
    if not positions or movement is None or not rest:
        missing = 'row' if not rest else 'position of a sensor' if not positions else 'description of the movement'
        raise damaged(path, len(head), f"the lines up to here have no {missing}; are the columns separated by ';'?")
    # Saved by a spreadsheet, every row ends with a separator.
    end = ';' if data[rest.start() :].split(b'\n', 1)[0].rstrip().endswith(b';') else ''
    table = read_numbers(path, COLUMNS, ';', len(head), end)
    known = np.isin(table[:, 6], [PHONE, *positions.values()]) & np.isin(table[:, 5], range(len(KINDS)))
    if not known.all():
        row = int(known.argmin())
        sensor = f'sensor ID {table[row, 6]:g} of type {table[row, 5]:g}'
        raise damaged(
            path, len(head) + row + 1, f'{sensor}, expected one of {", ".join(map(str, positions.values()))} and 0 to 2'
        )
    return Trial(positions, table, len(head) + 1)


def count_rows(path: Path) -> int:
    """Count the rows of a file that are not of the phone."""
    rows = [line.rstrip(b'; \t\r') for line in path.read_bytes().split(b'\n')]
    return sum(row[:1].isdigit() and not row.endswith(b';%d' % PHONE) for row in rows)
