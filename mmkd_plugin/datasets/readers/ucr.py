"""Series of the UCR and UEA archives, in their files ``.ts`` and ``.tsv``."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mmkd_plugin.registry import TASK_UTILS

from ..recordings import Recording
from .base import Part, Reader
from .missing import interpolate
from .text import damaged
from .ts_files import read_header, read_labels, read_ts, read_tsv

__all__ = ['UCRArchive']

MISSING = ('refuse', 'interpolate')


@TASK_UTILS.register_module()
class UCRArchive(Reader):
    """One data set of the archives: every series is a recording, of any length.

    UCR archive (Dau et al. 2019, arXiv:1810.07758) and UEA archive (Bagnall et al. 2018, arXiv:1811.00075). Parts are 'train'
    and 'test'. The archives name no subjects: every series counts as a subject of its own, ``train_0000``, ``train_0001``, …,
    ``test_0000``, … in the order of the files.

    Classes are in the order of ``@classLabel`` in ``.ts`` files, by number in ``.tsv`` files. In the latter, NaN at the end of
    a series only fills up the row, and is cut off with a note. Where both kinds of file exist, the ``.ts`` files are read.

    The files are parsed here. aeon, which maintains the format, holds numba and numpy below the releases that this package
    runs with, and needs pandas; the parser of pyts is private, and fills shorter series with NaN, which then cannot be told
    from missing values.

    Args:
        root (str | Path): Folder that holds the folder ``<name>``.
        name (str): Of the data set, ``'BasicMotions'`` for example.
        rate (float): Samples per second in Hz, which the files do not tell.
        missing (str): 'refuse' or, for values missing from a series, 'interpolate': a straight line, with a note.

    Raises:
        ValueError: The rate is not above 0, or ``missing`` is unknown.
    """

    rate = 1.0
    has_subjects = False

    def __init__(self, root: str | Path, name: str, rate: float = 1.0, missing: str = 'refuse') -> None:
        super().__init__(root)
        if not 0 < rate < float('inf'):
            raise ValueError(f'rate is in samples per second, above 0; got {rate!r}')
        if missing not in MISSING:
            raise ValueError(f'missing must be one of {", ".join(MISSING)}; got {missing!r}')
        self.name, self.rate, self.missing = name, float(rate), missing

    @property
    def channels(self) -> tuple[str, ...]:
        """'value', or 'dimension_1' and so on."""
        file = self._file('train')
        count = read_header(file).dimensions if file.suffix == '.ts' else 1
        return ('value',) if count == 1 else tuple(f'dimension_{i + 1}' for i in range(count))

    @property
    def classes(self) -> tuple[str, ...]:
        """As the archive writes them."""
        file = self._file('train')
        if file.suffix == '.ts':
            return read_header(file).classes
        train, test = (read_labels(path) for path in self.files())
        return tuple(sorted(train | test, key=int))

    def parts(self) -> list[str]:
        """Return 'train' and 'test'."""
        parts = ['train', 'test']
        for file in map(self._file, parts):
            if not file.is_file():
                raise FileNotFoundError(
                    f'{file} does not exist: root must be the folder that holds the folder {self.name!r} of the UCR or UEA '
                    f'archive (timeseriesclassification.com), with {self.name}_TRAIN and {self.name}_TEST in it, both as .ts '
                    'or both as .tsv'
                )
        return parts

    def files(self) -> list[Path]:
        """Return both files."""
        return [self._file(part) for part in self.parts()]

    def notes(self) -> list[str]:
        """Name classes that only one of two ``.tsv`` files has: a label may be mistyped. ``.ts`` files list their classes."""
        train, test = self.files()
        if train.suffix == '.ts':
            return []
        labels = {train: read_labels(train), test: read_labels(test)}
        alone = {train: labels[train] - labels[test], test: labels[test] - labels[train]}
        return [
            f'{file}: only this file has the class {", ".join(sorted(alone[file], key=int))}' for file in alone if alone[file]
        ]

    def read(self, part: str) -> Part:
        """Read one recording for each line of data."""
        file, channels, classes = self._file(part), self.channels, self.classes
        every, notes = (read_ts(file, len(channels)), []) if file.suffix == '.ts' else read_tsv(file)
        recordings, filled = [], []
        for index, series in enumerate(every):
            name, values = f'{part}_{index:04d}', series.values
            if series.label not in classes:
                raise damaged(file, series.line, f'the label is {series.label[:40]!r}, expected one of {", ".join(classes)}')
            missing = np.isnan(values)
            if missing.any():
                self._refuse(file, series.line, name, missing, channels)
                values = interpolate(file, series.line, values, channels)
                filled.append((series.line, name, missing.sum()))
            signal = np.ascontiguousarray(values, dtype=np.float32)
            recordings.append(Recording(signal, classes.index(series.label), name, name))
        if filled:
            line, name, _ = filled[0]
            count = sum(missing for *_, missing in filled)
            notes.append(
                f'{file}:{line}: {count:,} missing value(s) of {len(filled):,} series, {name} the first, filled along a '
                'straight line'
            )
        return Part(tuple(recordings), tuple(notes))

    def place(self, part: str) -> str:
        """Return the part's file."""
        return str(self._file(part))

    def _file(self, part: str) -> Path:
        folder = self.root / self.name
        ending = 'ts' if (folder / f'{self.name}_TRAIN.ts').is_file() else 'tsv'
        return folder / f'{self.name}_{part.upper()}.{ending}'

    def _refuse(self, file: Path, line: int, name: str, missing: NDArray, channels: tuple[str, ...]) -> None:
        if self.missing == 'refuse':
            channel = int(missing.any(0).argmax())
            raise damaged(
                file,
                line,
                f'{name}, {channels[channel]} has {missing[:, channel].sum()} missing value(s) of {len(missing)}; '
                "missing='interpolate' fills them along a straight line",
            )
