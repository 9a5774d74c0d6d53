"""Files of SmartFallMM: stamps and three axes of a watch or phone, and joints of a skeleton."""

from __future__ import annotations

import re
import warnings
import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mmkd_plugin.failures import reworded
from mmkd_plugin.fileio import load_npz

from .delivered import Repairs, order_in_time
from .text import damaged, no_number, read_lines, read_numbers

__all__ = ['JOINTS', 'in_order', 'list_arrays', 'read_arrays', 'read_frames', 'read_rows']

SIDE = ('clavicle', 'shoulder', 'elbow', 'wrist', 'hand', 'handtip', 'thumb')
# Of Azure Kinect, in the order of the columns.
JOINTS = (
    *('pelvis', 'spine_navel', 'spine_chest', 'neck'),
    *(f'{joint}_{side}' for side in ('left', 'right') for joint in SIDE),
    *(f'{joint}_{side}' for side in ('left', 'right') for joint in ('hip', 'knee', 'ankle', 'foot')),
    *('head', 'nose', 'eye_left', 'ear_left', 'eye_right', 'ear_right'),
)
ROW = np.dtype([('stamp', 'U32'), ('x', 'f8'), ('y', 'f8'), ('z', 'f8')])
# Some files have no date, and some of those a point for the first colon.
STAMP = re.compile(r'(\d{4}-\d\d-\d\d )?(\d\d)[:.](\d\d):(\d\d(?:\.\d{1,6})?)')
NO_DATE = '1970-01-01 '
MISSING = -32768  # in arrays of whole millimetres


def read_rows(path: Path) -> tuple[NDArray, NDArray, NDArray]:
    """Read a file of a watch or phone: stamps in microseconds ``(n, )``, values ``(n, 3)``, and lines ``(n, )`` from 1.

    The file is read at the speed of numpy; only if anything is unusual, line by line, to name the line.

    Raises:
        FileNotFoundError: The file does not exist.
        ValueError: The file is damaged; the message is ``<file>:<line>: <what came, what was expected>``.
    """
    if not path.is_file():
        raise FileNotFoundError(f'{path} does not exist')
    try:
        with warnings.catch_warnings():
            warnings.simplefilter('error')  # of a file without a row, and of a stamp that is not the archive's
            rows = np.loadtxt(path, ROW, delimiter=',', comments=None, ndmin=1, encoding='utf-8')
            stamps = rows['stamp'].astype('M8[us]')
        values = np.stack([rows[axis] for axis in 'xyz'], axis=1)
        if len(rows) and not np.isnat(stamps).any() and not np.isinf(values).any():
            return stamps.astype(np.int64), values, np.arange(1, len(rows) + 1)
    except (ValueError, UserWarning, DeprecationWarning):
        pass  # the slow way below finds the line
    date, numbers, parsed = NO_DATE, [], []
    for number, line in enumerate(read_lines(path), 1):
        if line.strip():
            parsed.append(_row(path, number, line, date))
            numbers.append(number)
            date = f'{parsed[-1][0][:10]} '
    stamps = np.array([stamp for stamp, _ in parsed], 'M8[us]').astype(np.int64)
    return stamps, np.array([values for _, values in parsed]), np.array(numbers)


def _row(path: Path, number: int, line: str, date: str) -> tuple[str, list[float]]:
    fields = [field.strip() for field in line.split(',')]
    if len(fields) != 4:
        raise damaged(path, number, f'{len(fields)} columns in {line[:60]!r}, expected time,x,y,z')
    stamp = STAMP.fullmatch(fields[0])
    if stamp is None:
        raise damaged(path, number, f'time is {fields[0][:40]!r}, expected for example 2023-05-10 13:34:42.097')
    values = []
    for name, field in zip('xyz', fields[1:]):
        try:
            values.append(float(field))
        except ValueError as error:
            raise no_number(path, number, name, field) from error
        if np.isinf(values[-1]):
            raise damaged(path, number, f'{name} is {field[:40]!r}, expected a finite number')
    text = f'{stamp[1] or date}{stamp[2]}:{stamp[3]}:{stamp[4]}'
    try:
        np.datetime64(text)
    except ValueError as error:
        raise damaged(path, number, f'time is {fields[0][:40]!r}, which no clock shows') from error
    return text, values


def in_order(path: Path, repairs: Repairs) -> tuple[NDArray, NDArray]:
    """Read a file of a watch or phone in the order of time, each row once and without NaN; repairs are counted.

    Returns:
        tuple[ndarray, ndarray]: Stamps in microseconds ``(n, )`` and values ``(n, 3)``.
    """
    stamps, values, lines = read_rows(path)

    def keep(chosen: NDArray, kind: str) -> tuple[NDArray, NDArray, NDArray]:
        if not chosen.all():
            repairs.add(f'{kind} are left out', path, lines[chosen.argmin()], (~chosen).sum())
        return stamps[chosen], values[chosen], lines[chosen]

    stamps, values, lines = keep(~np.isnan(values).any(1), 'row(s) with NaN')
    order = np.lexsort((*values.T, stamps))  # of equal rows the first of the file comes first
    again = np.zeros(len(stamps), dtype=bool)
    again[order[1:]] = (np.diff(stamps[order]) == 0) & (np.diff(values[order], axis=0) == 0).all(1)
    stamps, values, lines = keep(~again, 'row(s) that occur twice, time and all,')
    order = order_in_time(path, lines, stamps, repairs)
    stamps, values, lines = stamps[order], values[order], lines[order]
    same = np.diff(stamps) == 0
    if same.any():
        repairs.add('stamp(s) repeat the one before: readings are evened out', path, lines[1:][same.argmax()], same.sum())
    return stamps, values


def read_frames(path: Path) -> NDArray:
    """Read the joints of every frame, ``(n, 96)`` in mm; NaN is read as such.

    Raises:
        FileNotFoundError: The file does not exist.
        ValueError: The file is damaged; the message is ``<file>:<line>: <what came, what was expected>``.
    """
    frames = read_numbers(path, [f'{joint}_{axis}' for joint in JOINTS for axis in 'xyz'], ',')
    wrong = np.argwhere(np.isinf(frames))
    if len(wrong):
        raise damaged(path, wrong[0][0] + 1, f'{JOINTS[wrong[0][1] // 3]} is infinite, expected a finite number')
    return frames


def list_arrays(path: Path) -> list[str]:
    """Return the names of an ``.npz``'s arrays.

    Raises:
        ValueError: The file is no ``.npz``.
    """
    with reworded(f'{path}: no .npz file, or cut off', (zipfile.BadZipFile, OSError)), zipfile.ZipFile(path) as archive:
        return [name.removesuffix('.npy') for name in archive.namelist()]


def read_arrays(path: Path, names: list[str]) -> dict[str, NDArray]:
    """Read the joints of some trials from an ``.npz``, each ``(n, 96)`` in mm with NaN where a joint is missing.

    Raises:
        ValueError: The file is damaged, or an array is no table of 96 numbers a frame.
    """
    frames = {}
    for name, array in load_npz(path, names).items() if names else ():
        if array.ndim != 2 or array.shape[1] != 3 * len(JOINTS) or not len(array) or array.dtype.kind not in 'if':
            raise ValueError(
                f'{path}: {name} is {array.dtype} of shape {array.shape}, expected frames (n, {3 * len(JOINTS)}) of numbers'
            )
        frames[name] = np.where(array == MISSING, np.nan, array.astype(np.float64))
        if np.isinf(frames[name]).any():
            raise ValueError(f'{path}: {name} has an infinite number in frame {int(np.isinf(frames[name]).any(1).argmax())}')
    return frames
