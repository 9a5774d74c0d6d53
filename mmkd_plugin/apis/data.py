"""Data ahead of training: inspection of a folder or a config, and conversion into the store of its runs."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path

from mmengine.config import Config
from mmengine.registry import init_default_scope

from mmkd_plugin.datasets import SPLITS, Reader, WindowDataset, audit, convert, split_oddities, split_table
from mmkd_plugin.datasets.inspection import Inspection, inspect_recordings
from mmkd_plugin.registry import DATASETS, TASK_UTILS

from .checks.data import foreign_fault

__all__ = ['Conversion', 'convert_data', 'inspect_config', 'inspect_files', 'reader_of']

WINDOW, STEP = 100, 50  # samples, for readers without published_windows


def reader_of(cfg: Config) -> Reader:
    """Build the reader of a config's training data.

    Raises:
        ValueError: The config has no training data, or data of another class than :class:`WindowDataset`.
    """
    init_default_scope(cfg.get('default_scope', 'mmkd_plugin'))
    return TASK_UTILS.build(_settings(cfg, 'train')['reader'])


def _settings(cfg: Config, split: str) -> dict:
    settings = (cfg.get(f'{split}_dataloader') or {}).get('dataset')
    if not settings:
        raise ValueError(f'the config has no {split}_dataloader with a data set')
    foreign = foreign_fault(settings, f'{split}_dataloader.dataset')
    if foreign or 'reader' not in settings:
        raise ValueError(foreign or f'{split}_dataloader.dataset has no reader; expected WindowDataset(reader=dict(...))')
    return settings


def inspect_files(reader: Reader, window: int | None = None, step: int | None = None) -> Inspection:
    """Inspect all recordings of a reader, which are held in memory.

    Args:
        reader (Reader): Reader of the files.
        window (int, optional): Samples of a window; by default that of the reader's ``published_windows``, or 100.
        step (int, optional): Samples from the start of a window to that of the next; by default half of a
            given window, or the step of the default window.

    Raises:
        FileNotFoundError: The data do not exist.
        ValueError: A file is damaged, or window or step are below 1.
    """
    defaults = reader.published_windows or dict(window=WINDOW, step=STEP)
    title = f'{type(reader).__name__}, {len(reader.parts())} part(s) in {reader.root}'
    return inspect_recordings(reader.read_all(), title, *_cut(defaults, window, step), reader)


def inspect_config(cfg: Config, window: int | None = None, step: int | None = None) -> Inspection:
    """Inspect all subjects of a config's training data, through the store that its runs open.

    Args:
        cfg (Config): From :func:`mmkd_plugin.apis.load_config`.
        window (int, optional): Samples of a window; by default the config's.
        step (int, optional): Samples from the start of a window to that of the next; by default the config's.

    Raises:
        FileNotFoundError: The data do not exist.
        ValueError: A file is damaged, or anything in the config is wrong.
    """
    dataset = _dataset(cfg, 'train')
    title = f'{type(dataset.reader).__name__}, in {dataset.reader.root}'
    usual = dict(window=dataset.window, step=dataset.step)
    inspection = inspect_recordings(dataset.data, title, *_cut(usual, window, step), dataset.reader)
    try:
        manifest = audit({split: dataset if split == 'train' else _dataset(cfg, split) for split in SPLITS})
    except ValueError as error:  # an inspection shows what is wrong, and goes on
        lines = [f'no run can use these splits: {error}']
    else:
        lines = [*split_table(manifest), *(f'warning: {oddity}' for oddity in split_oddities(manifest))]
    return replace(inspection, splits=tuple(lines))


def _cut(usual: dict, window: int | None, step: int | None) -> tuple[int, int]:
    if step is None:
        step = usual['step'] if window is None else max(1, window // 2)
    return (usual['window'] if window is None else window), step


def _dataset(cfg: Config, split: str, **changes) -> WindowDataset:
    """Build the data set of a split as a run does."""
    init_default_scope(cfg.get('default_scope', 'mmkd_plugin'))
    return DATASETS.build({**_settings(cfg, split), **changes})


@dataclass(frozen=True)
class Conversion:
    """A converted store: its folder, size in bytes, recordings and samples, and the seconds that the conversion took."""

    store: Path
    size: int
    recordings: int
    samples: int
    seconds: float


def convert_data(cfg: Config, engine: str | None = None, workers: int | None = None) -> list[Conversion]:
    """Read a config's data into the stores that its runs will open.

    Args:
        cfg (Config): From :func:`mmkd_plugin.apis.load_config`.
        engine (str, optional): 'processes' or 'ray'; by default the config's.
        workers (int, optional): Number of parts that are read at once; by default the config's.

    Returns:
        list[Conversion]: One conversion, if all splits have the same reader.

    Raises:
        FileNotFoundError: The data do not exist.
        ImportError: ``engine`` is 'ray', which is not installed.
        ValueError: A file is damaged, or the splits of the config are wrong.
    """
    changes = {key: value for key, value in dict(engine=engine, workers=workers).items() if value is not None}
    conversions: dict[Path, Conversion] = {}
    for split in SPLITS:
        begin = time.perf_counter()
        dataset = _dataset(cfg, split, **changes)  # as training builds it, so that it is the same store
        seconds = time.perf_counter() - begin
        store, each = convert(dataset.reader, *dataset.store), dataset.data.recordings
        size = sum(path.stat().st_size for path in sorted(store.iterdir()))
        conversions.setdefault(store, Conversion(store, size, len(each), sum(len(r.signal) for r in each), seconds))
    return list(conversions.values())
