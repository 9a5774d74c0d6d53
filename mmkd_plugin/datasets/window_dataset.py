"""Windows of recordings, split by subject."""

from __future__ import annotations

import functools
import hashlib
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch
from mmengine.dataset import BaseDataset
from mmengine.logging import print_log

from mmkd_plugin.registry import DATASETS, TASK_UTILS

from .names import list_names
from .recordings import Recordings
from .splits import SPLITS, resolve_subjects
from .store import convert, open_store
from .window_streams import add_streams, build_streams, channel_statistics, check_streams, pack_streams, stream_facts
from .windows import Windows, cut_windows

__all__ = ['WindowDataset']


@DATASETS.register_module()
class WindowDataset(BaseDataset):
    """Windows of recordings, which the reader of their format reads once into a store.

    A window lies inside one recording, and its ends have one label. Statistics of the channels are those of the training
    subjects' recordings, for all three splits, and every sample carries them for the transforms.

    Args:
        reader (dict): Config of a reader, for example ``dict(type='HAPT', root='data/hapt')``.
        split (str): 'train', 'val' or 'test'.
        subjects (dict): Subjects of each split: names, or a protocol and a fold of it, see
            :func:`~mmkd_plugin.datasets.splits.resolve_subjects`.
        window (int): Samples of a window.
        step (int): Samples from the start of a window to that of the next.
        pipeline (list[dict]): Transforms, the last of them ``PackWindows``.
        normal (list[str], optional): For anomaly detection, the classes that are normal, and the only ones that count as
            classes: all others are left out of training and validation.
        anomalies (bool): Keep the windows of the other classes in this split, with the label −1 and ``anomaly`` 1.
        required (Sequence[str]): Streams of the reader without which a window is left out: a command gives the one that the
            deployed learner reads. The other windows keep what they have; their samples name what is ``missing``.
        pipelines (Mapping[str, list[dict]], optional): Transforms of single streams; those of ``pipeline`` by default.
        augment (list[dict]): Transforms before those of the signal and of every stream: a command gives the config's.
        units (Sequence[str], optional): Units of the C channels, as 'm/s²', where the reader does not know them.
        oversample (float, optional): Share of the training windows below which a class is rare: windows of rarer classes are
            repeated in training, the square root of share over frequency times, rounded up (Gupta et al., CVPR 2019,
            arXiv:1908.03195, as the host's ClassBalancedDataset does).
        seed (int): Seed of random transforms.
        store (str): Folder of all stores.
        engine (str): 'processes' or 'ray', see :func:`~mmkd_plugin.datasets.store.convert`.
        workers (int): Number of parts that are converted at once.
        **kwargs: ``indices``, ``test_mode``, ``lazy_init`` and others of mmengine's BaseDataset.

    Raises:
        FileNotFoundError: The recordings do not exist where the reader looks.
        ImportError: The recordings come with a package that is not installed.
        ValueError: A file is damaged, a split is empty or shares subjects with another, window or step are below 1, or a
            normal class is unknown.
    """

    data_list: Windows

    def __init__(
        self,
        reader: dict,
        split: str,
        subjects: dict,
        window: int,
        step: int,
        pipeline: Sequence[dict] = (),
        normal: list[str] | None = None,
        anomalies: bool = False,
        required: Sequence[str] = (),
        pipelines: Mapping[str, Sequence[dict]] | None = None,
        augment: Sequence[dict] = (),
        units: Sequence[str] | None = None,
        oversample: float | None = None,
        seed: int = 0,
        store: str = 'work_dirs/stores',
        engine: str = 'processes',
        workers: int = 1,
        **kwargs,
    ) -> None:
        if split not in SPLITS:
            raise ValueError(f'split must be one of {", ".join(SPLITS)}, got {split!r}')
        if window < 1 or step < 1:
            raise ValueError(f'window and step are numbers of samples, at least 1; got window={window} and step={step}')
        if oversample is not None and not (isinstance(oversample, (int, float)) and 0 < oversample <= 1):
            raise ValueError(f'oversample must be a share of the training windows, above 0 and up to 1; got {oversample!r}')
        self.split, self.window, self.step, self.seed = split, window, step, seed
        self.oversample = oversample
        self.reader, self.store = TASK_UTILS.build(reader), (store, engine, workers)
        # In shared memory, so that persistent workers see the epoch change.
        self.epoch = torch.zeros((), dtype=torch.long).share_memory_()
        self.data = self._open()
        self.required, pipelines = tuple(required), {**(pipelines or {})}
        check_streams(self.data, self.required, pipelines)
        self.normal, self.anomalies = self._resolve_normal(normal, anomalies), anomalies
        self.subjects = resolve_subjects(subjects, (r.subject for r in self.data.recordings), self._count_windows)
        learned = [r for r in self.data.recordings if r.subject in self.subjects['train']]
        self.statistics = channel_statistics((r.summary.moments for r in learned), self.normal)
        if any(entry.get('method') == 'window_zscore' for entry in pipeline):
            self.statistics.update(self._fit_window_statistics())
        metainfo = dict(
            classes=[self.data.classes[label] for label in self.normal],
            channels=list(self.data.channels),
            units=self._resolve_units(units),
            rate=float(self.data.rate),
            window=window,
            step=step,
            subjects={name: list(members) for name, members in self.subjects.items()},
            statistics={name: [float(v) for v in values] for name, values in self.statistics.items()},
        )
        self.lacking: dict[str, int] = {}  # number of the split's windows without a stream, by its name
        pipelines = {name: [*augment, *pipelines.get(name, pipeline)] for name in self.data.streams}
        self.streams = build_streams(self.data, window, self.subjects['train'], self.normal, pipelines)
        self.ask_streams(self.data.streams)
        if self.streams:
            metainfo['streams'] = stream_facts(self.streams)
        # Windows are slices of mapped recordings; serialising them would copy all samples.
        super().__init__(metainfo=metainfo, pipeline=[*augment, *pipeline], serialize_data=False, **kwargs)

    def _open(self) -> Recordings:
        """Open the store, which is converted first where it does not exist yet."""
        self.folder = convert(self.reader, *self.store)
        return opened(str(self.folder), (self.folder / 'store.json').stat().st_mtime_ns)

    def _resolve_normal(self, normal: list[str] | None, anomalies: bool) -> list[int]:
        """Return the labels of the classes that are learned, in the given order."""
        classes = list(self.data.classes)
        unknown = [name for name in normal or () if name not in classes]
        if unknown or (normal is not None and len(normal) in (0, len(classes))) or (anomalies and normal is None):
            raise ValueError(
                f'normal must name some of the classes {", ".join(classes)}, and anomalies=True needs it; '
                f'got normal={normal} and anomalies={anomalies}'
            )
        return [classes.index(name) for name in (classes if normal is None else normal)]

    def _resolve_units(self, units: Sequence[str] | None) -> list[str]:
        """Return a unit for each channel, none where they are unknown."""
        resolved = list(self.reader.units if units is None else units)
        if resolved and len(resolved) != len(self.data.channels):
            raise ValueError(
                f'units must be one for each of {", ".join(self.data.channels)}; got {", ".join(map(str, resolved))}'
            )
        return [str(unit) for unit in resolved]

    def _count_windows(self) -> dict[str, int]:
        """Return the number of windows of each subject that has a class to learn."""
        recordings = self.data.recordings
        windows, _ = self._cut(range(len(recordings)))
        learned = windows[np.flatnonzero(np.isin(windows.label, self.normal))].subjects
        subjects, counts = np.unique(learned, return_counts=True)
        return {**dict.fromkeys((r.subject for r in recordings), 0), **dict(zip(subjects.tolist(), counts.tolist()))}

    def _cut(self, chosen: Sequence[int]) -> tuple[Windows, list[str]]:
        """Cut recordings into windows, which know their streams; return the names of those too short, too."""
        windows, short = cut_windows(self.data.recordings, chosen, self.window, self.step)
        if self.data.streams:
            windows, self.lacking = add_streams(windows, self.data, self.required)
        return windows, short

    def _fit_window_statistics(self) -> dict[str, np.ndarray]:
        """Return the mean of the training windows, and the mean of the standard deviation within each, both ``(C, )``."""
        recordings = self.data.recordings
        chosen = [index for index, r in enumerate(recordings) if r.subject in self.subjects['train']]
        windows, _ = self._cut(chosen)
        windows = windows[np.flatnonzero(np.isin(windows.label, self.normal))]
        moments = np.zeros((2, len(self.data.channels)))
        for index in range(len(windows)):
            exact = windows.signal(index).astype(np.float64)
            moments += exact.mean(0), exact.std(0)
        mean, std = moments / len(windows)
        return dict(window_mean=mean.astype(np.float32), window_std=std.astype(np.float32))

    def load_data_list(self) -> Windows:
        """Return the windows of this split, with their labels.

        Raises:
            ValueError: The split has no window.
        """
        chosen = [index for index, r in enumerate(self.data.recordings) if r.subject in self.subjects[self.split]]
        windows, short = self._cut(chosen)
        self._log_missing(len(windows))
        new_labels = np.full(len(self.data.classes), -1)
        new_labels[self.normal] = np.arange(len(self.normal))
        labels = new_labels[windows.label]
        keep = np.flatnonzero((labels >= 0) | self.anomalies)
        windows = replace(windows, label=labels)[keep]
        if short:
            print_log(
                f'{len(short)} recording(s) of the {self.split} split are shorter than a window of {self.window} samples '
                f'and are left out: {list_names(short, 6)}',
                logger='current',
                level=logging.WARNING,
            )
        if not len(windows):
            raise ValueError(f'the {self.split} split is empty: no recording is as long as a window, {self.window} samples')
        return self._repeat_rare(windows) if self.oversample and self.split == 'train' else windows

    def _log_missing(self, kept: int) -> None:
        """Say how many windows of the split lack a stream."""
        for stream in self.streams:
            lacking = self.lacking[stream.name]
            if lacking and (self.split == 'train' or stream.name in self.required):
                what = 'are left out' if stream.name in self.required else 'teach nothing where it is read'
                line = (
                    f"{lacking} window(s) of the {self.split} split lack the stream '{stream.name}' and {what}; {kept} are used"
                )
                print_log(line, logger='current', level=logging.WARNING)

    def _repeat_rare(self, windows: Windows) -> Windows:
        """Repeat the windows of rare classes, each right after itself."""
        share = np.bincount(windows.label, minlength=len(self.normal)) / len(windows)
        times = np.ceil(np.sqrt(np.maximum(1, self.oversample / np.where(share > 0, share, 1)))).astype(int)
        return windows[np.repeat(np.arange(len(windows)), times[windows.label])]

    def _get_unserialized_subset(self, indices: int | Sequence[int]) -> Windows:
        """Select the first or, for a negative number, the last windows, or those of the indices.

        The host's own method would make a list of dicts.
        """
        if isinstance(indices, int):
            return self.data_list[:indices] if indices >= 0 else self.data_list[indices:]
        return self.data_list[np.asarray(indices)]

    def get_data_info(self, idx: int) -> dict:
        """Return a window: ``signal`` ``(C, T)`` float32, with label, subject, position, training statistics and a seed.

        The seed is made of run, epoch and index, so that random numbers do not depend on the loader's workers.
        """
        info = self.data_list[idx]
        info['sample_idx'] = idx % len(self.data_list)
        info['signal'] = np.ascontiguousarray(self.data_list.signal(idx).T)
        info['statistics'], info['channels'] = self.statistics, self.data.channels
        info['seed'] = (self.seed, int(self.epoch), info['sample_idx'])
        return info

    def prepare_data(self, idx: int) -> dict:
        """Return a window after its pipeline, and the streams of the window each after their own."""
        info = self.get_data_info(idx)
        return self.pack(self.pipeline(dict(info)), info)

    def ask_streams(self, names: Iterable[str]) -> None:
        """Let windows bring along these streams alone from now on; by default they bring all of the reader's."""
        asked = set(names)
        self.packed = tuple(each for each in self.streams if each.name in asked)

    def pack(self, packed: dict, info: Mapping) -> dict:
        """Put the streams of a window beside its packed signal, see :func:`~.window_streams.pack_streams`."""
        windows = self.data_list
        return pack_streams(packed, self.packed, windows.recordings[windows.recording[info['sample_idx']]], info)

    @property
    def CLASSES(self) -> list[str]:  # noqa: N802 - the host's name
        """Names of the classes, as the host's tools ask for them."""
        return self.metainfo['classes']

    def fingerprint(self) -> str:
        """Return SHA-256 of everything that a run sees, in hexadecimal; the same for all splits."""
        settings: tuple = (self.window, self.step, sorted(self.subjects.items()))
        if len(self.normal) < len(self.data.classes):
            settings += (self.normal,)
        if self.oversample:
            settings += (self.oversample,)
        if self.required:
            settings += (self.required,)
        return hashlib.sha256(f'{self.data.fingerprint()} {settings}'.encode()).hexdigest()

    def __getstate__(self) -> dict:
        """Leave the memory maps out: pickled for a spawned worker, they would be copies of all samples."""
        windows = replace(self.data_list, recordings=()) if self._fully_initialized else self.data_list
        return {**self.__dict__, 'data': None, 'data_list': windows}

    def __setstate__(self, state: dict) -> None:
        self.__dict__.update(state)
        self.data = opened(str(self.folder))  # the process that sends a data set has checked the store
        if self._fully_initialized:
            self.data_list = replace(self.data_list, recordings=self.data.recordings)


@functools.lru_cache(maxsize=8)
def opened(store: str, changed: int = 0) -> Recordings:
    """Open a store, once per process unless it has changed, and log its notes."""
    recordings = open_store(store)
    for note in recordings.notes:
        print_log(note, logger='current', level=logging.WARNING)
    return recordings
