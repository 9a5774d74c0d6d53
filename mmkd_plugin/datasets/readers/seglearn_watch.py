"""The smart-watch recordings that the package seglearn ships."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from mmkd_plugin.failures import reworded
from mmkd_plugin.fileio import load_pickle
from mmkd_plugin.registry import TASK_UTILS

from ..recordings import Recording
from .base import Part, Reader
from .packages import package_folder

__all__ = ['SeglearnWatch', 'load_plain_pickle']


def load_plain_pickle(path: Path):
    """Read the single object of an ``.npy`` file of Python objects, without running code in it.

    Args:
        path (Path): The file.

    Returns:
        Any: Lists, dicts, numbers, strings and arrays of them.

    Raises:
        ValueError: The file holds something else.
    """
    with open(path, 'rb') as file:
        with reworded('no .npy file'):  # NumPy parses the header as Python does
            np.lib.format.read_magic(file)
            np.lib.format.read_array_header_1_0(file)
        return load_pickle(file.read(), objects=True).item()


@TASK_UTILS.register_module()
class SeglearnWatch(Reader):
    """Shoulder exercises seen by a smart watch: 10 subjects, both arms, 7 exercises, 140 recordings of 6 channels at 50 Hz.

    Burns et al. 2018, arXiv:1802.01489; BSD-3, inside seglearn 1.2.5. Acceleration in g and angular velocity in rad/s.
    Recordings are named ``<subject>_<exercise>_<left or right>``. The package is located and not imported, because its import
    needs pandas.

    Args:
        root (str | Path, optional): Folder with ``watch_dataset.npy``; by default the one inside the installed
            package seglearn.

    Raises:
        ImportError: ``root`` is not given and seglearn is not installed.
    """

    channels = ('ax', 'ay', 'az', 'wx', 'wy', 'wz')
    units = ('g',) * 3 + ('rad/s',) * 3
    classes = ('PEN', 'ABD', 'FEL', 'IR', 'ER', 'TRAP', 'ROW')
    rate = 50.0

    def __init__(self, root: str | Path | None = None) -> None:
        super().__init__(package_folder('seglearn', 'seglearn>=1.2.5') / 'data' if root is None else root)

    def parts(self) -> list[str]:
        """Return 'all', the only part."""
        if not self._file.is_file():
            raise FileNotFoundError(f'{self._file} does not exist: root must be the folder data of the package seglearn')
        return ['all']

    def files(self) -> list[Path]:
        """Return the file."""
        self.parts()
        return [self._file]

    def read(self, part: str) -> Part:
        """Read all recordings.

        Raises:
            ValueError: The file is not the one that seglearn ships.
        """
        try:
            return self._parse(load_plain_pickle(self._file))
        except ValueError as error:
            if str(self._file) in str(error):
                raise
            raise ValueError(f'{self._file}: {error}') from error
        except (LookupError, TypeError, AttributeError, OverflowError) as error:  # a dict of anything, or none
            reason = f'{type(error).__name__}: {error}'
            raise ValueError(f'{self._file}: it does not hold what seglearn ships ({reason})') from error

    def _parse(self, data: Any) -> Part:
        if (tuple(data['X_labels']), tuple(data['y_labels'])) != (self.channels, self.classes):
            raise ValueError(
                f'{self._file} has the channels {", ".join(data["X_labels"])} and the classes {", ".join(data["y_labels"])}; '
                f'expected {", ".join(self.channels)} and {", ".join(self.classes)}'
            )
        recordings = []
        for signal, label, subject, side in zip(data['X'], data['y'], data['subject'], data['side']):
            name = f'{int(subject)}_{self.classes[int(label)]}_{"right" if side else "left"}'
            recordings.append(Recording(signal.astype(np.float32), int(label), str(int(subject)), name))
        return Part(tuple(recordings))

    @property
    def _file(self) -> Path:
        return self.root / 'watch_dataset.npy'
