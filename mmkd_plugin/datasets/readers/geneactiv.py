"""GENEActiv, daily activities seen by an accelerometer at the wrist, in windows that are MATLAB files."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

from mmkd_plugin.registry import TASK_UTILS

from ..recordings import Recording
from .base import Part, Reader
from .mat_files import read_variable

__all__ = ['GENEActiv']

NAME = re.compile(r'ID-(\d+)_CLASS-(\d+)_Window-(\d+)\.mat')
VARIABLE = 'xw'


@TASK_UTILS.register_module()
class GENEActiv(Reader):
    """Windows of one subject and one class each, three axes of acceleration; the sensor's unit is g.

    Data of the published comparisons (Jeon et al., arXiv:2407.05315): a sensor at the wrist at 100 Hz, 14 classes, windows of
    500 samples. The files themselves name neither rate nor unit nor activities, so that a class is called by its number,
    'CLASS-13'.

    A file is a recording of its own, called by its name. Its variable ``xw`` is ``(size, 3)``; ``(3, size)`` is transposed and
    noted. A window with a value that is not finite is left out and noted.

    Args:
        root (str | Path): The folder that holds ``Window-size-500/ID-102_CLASS-13_Window-0001.mat`` and others.
        size (int): Samples of a window: the folder ``Window-size-<size>`` is read.
        classes (int | Sequence[int]): Numbers that the classes have: 14 stands for 1 to 14. They do not depend on which files
            exist, and a file with another number is an error.

    Raises:
        ValueError: There are fewer than two classes, or one is named twice.
    """

    channels = ('x', 'y', 'z')
    units = ('g',) * 3
    rate = 100.0

    def __init__(self, root: str | Path, size: int = 500, classes: int | Sequence[int] = 14) -> None:
        super().__init__(root)
        self.size, self.numbers = size, tuple(range(1, classes + 1) if isinstance(classes, int) else classes)
        if len(self.numbers) < 2 or len(set(self.numbers)) < len(self.numbers):
            raise ValueError(f'classes must be the number of classes, or their numbers, each once; got {classes}')

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, whether or not a window of them exists."""
        return tuple(f'CLASS-{number}' for number in self.numbers)

    @property
    def folder(self) -> Path:
        """Folder of the windows."""
        return self.root / f'Window-size-{self.size}'

    def parts(self) -> list[str]:
        """Return the subjects, in the order of their numbers."""
        return [str(subject) for subject in sorted({subject for subject, _, _, _ in self._windows()})]

    def files(self) -> list[Path]:
        """Return one file for each window."""
        return [self.folder / name for *_, name in self._windows()]

    def notes(self) -> list[str]:
        """Name the classes of which no window exists."""
        present = {number for _, number, _, _ in self._windows()}
        absent = [name for name, number in zip(self.classes, self.numbers) if number not in present]
        return [f'{self.folder} has no window of {", ".join(absent)}'] if absent else []

    def read(self, part: str) -> Part:
        """Read the windows of one subject."""
        recordings, notes, turned = [], [], []
        for subject, number, _, name in self._windows():
            if subject != int(part):
                continue
            signal = read_variable(self.folder / name, VARIABLE)  # (T, 3) or (3, T)
            if signal.shape not in ((self.size, 3), (3, self.size)):
                expected = f'expected ({self.size}, 3)'
                raise ValueError(f'{self.folder / name}: {VARIABLE} has shape {signal.shape}, {expected}')
            if signal.shape != (self.size, 3):
                turned.append(name)
                signal = signal.T  # (T, 3)
            wrong = np.argwhere(~np.isfinite(signal))
            if len(wrong):
                sample, axis = wrong[0]
                problem = f'{"xyz"[axis]} is {signal[sample, axis]} at sample {sample + 1}'
                notes.append(f'{self.folder / name}: {problem} ({len(wrong):,} value(s)); the window is left out')
                continue
            kept = np.ascontiguousarray(signal, dtype=np.float32)
            recordings.append(Recording(kept, self.numbers.index(number), part, Path(name).stem))
        if turned:
            notes.append(
                f'{self.folder / turned[0]}: {len(turned):,} window(s) of subject {part} are (3, {self.size}): transposed'
            )
        return Part(tuple(recordings), tuple(notes))

    def _windows(self) -> list[tuple[int, int, int, str]]:
        """Return subject, class, number and file name of every window, sorted."""
        names = [name for name in sorted(os.listdir(self.folder)) if name.endswith('.mat')] if self.folder.is_dir() else []
        if not names:
            others = ', '.join(sorted(path.name for path in self.root.glob('Window-size-*')))
            hint = f'; there is {others}, chosen by size' if others else ''
            raise FileNotFoundError(
                f'{self.folder} holds no ID-102_CLASS-13_Window-0001.mat, nor another window: root must be the folder that '
                f'holds {self.folder.name}{hint}; no public archive is known, ask the authors of arXiv:2407.05315'
            )
        windows = []
        for name in names:
            match = NAME.fullmatch(name)
            if not match:
                raise ValueError(f'{self.folder / name}: the name must be like ID-102_CLASS-13_Window-0001.mat')
            subject, number, window = map(int, match.groups())
            if number not in self.numbers:
                raise ValueError(
                    f'{self.folder / name}: class {number}, expected one of {", ".join(map(str, self.numbers))}; '
                    'classes=[...] names others'
                )
            windows.append((subject, number, window, name))
        windows.sort()
        for one, other in pairwise(windows):
            if one[:3] == other[:3]:
                raise ValueError(f'{self.folder / other[3]}: this window occurs twice, see {one[3]}')
        return windows
