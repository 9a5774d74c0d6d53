"""Metrics of a network on corrupted test windows, beside those on clean windows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from mmengine.config import Config
from mmengine.dataset import BaseDataset
from torch.utils.data import Dataset

from mmkd_plugin.datasets.channels import KINDS, sensors_of
from mmkd_plugin.datasets.transforms.corrupt import CORRUPTIONS, NEED_AXES, Corrupt
from mmkd_plugin.datasets.transforms.geometry import check_triples, find_triples
from mmkd_plugin.engine import batches_in_order, predict_windows
from mmkd_plugin.fileio import file_hash, write_atomically

from .predict import build_loader, load_deployed, metainfo_of
from .test import choose_evaluator, measure

__all__ = ['choose_corruptions', 'evaluate_corruptions', 'find_axes', 'format_corruptions']

KEYS = ('accuracy', 'macro_f1')


def choose_corruptions(names: Sequence[str]) -> list[tuple]:
    """Return rows of the suite by name; a kind stands for all its levels, and no name for the whole suite.

    Raises:
        ValueError: A name is unknown.
    """
    kinds = dict.fromkeys(kind for _, kind, _ in CORRUPTIONS)
    for name in names:
        if name not in kinds and name not in [row[0] for row in CORRUPTIONS]:
            raise ValueError(
                f"there is no corruption '{name}'; there are {', '.join(kinds)}, or one level, for example {CORRUPTIONS[0][0]}"
            )
    return [row for row in CORRUPTIONS if not names or row[0] in names or row[1] in names]


def evaluate_corruptions(cfg: Config, checkpoint: str | Path, suite: Sequence[tuple] | None = None) -> dict:
    """Evaluate the deployed learner on the test split, as it is and corrupted; write ``corruptions.json`` into the work dir.

    Corruptions meet the raw signal, before everything else in the pipeline. Triples of axes are found by the channels' names,
    or given by the config: ``corruption_axes = dict(acc=[('ax', 'ay', 'az')], gyr=[(3, 4, 5)])``.

    Args:
        cfg (Config): Config of the run.
        checkpoint (str | Path): Of a run, or of an exported network.
        suite (Sequence[tuple], optional): Name, kind and level of each, as in ``CORRUPTIONS``, which is the default.

    Returns:
        dict: ``checkpoint``, its ``sha256``, ``axes`` (indices of channels), ``notes`` (what was left out, for people) and
        ``rows``, the first of them clean: ``name``, ``kind``, ``level``, ``test`` (metrics from 0 to 1) and ``drop`` (clean
        minus corrupted), both None where a corruption was left out.

    Raises:
        FileNotFoundError: The checkpoint does not exist.
        ValueError: The checkpoint does not fit, or a corruption or the axes are impossible.
    """
    suite = CORRUPTIONS if suite is None else suite
    loader = build_loader(cfg, 'test')
    needed = {kind for _, kind, _ in suite} & set(NEED_AXES)
    axes, notes = _axes_of(cfg, metainfo_of(loader)['channels']) if needed else ({}, [])
    missed = [] if axes else [kind for kind in NEED_AXES if kind in needed]
    if missed:
        notes.append(f'{" and ".join(missed)}: not tested, no axes were found; corruption_axes in the config would name them')
    # All are built first: a wrong one ends it before anything is tested.
    corruptions = {name: Corrupt(kind, level, axes) for name, kind, level in suite if kind not in missed}
    model, evaluator = load_deployed(cfg, checkpoint, loader), choose_evaluator(cfg, 'test')
    stored = model.data_preprocessor.by_window(model.inference_views())
    if stored:
        raise ValueError(
            f'{model.deployed} reads the view {stored[0]}, whose images were made before: no corruption reaches it'
        )

    streams = model.streams_of(model.deployed)
    if streams:
        raise ValueError(f'{model.deployed} reads the stream {", ".join(streams)}: corruptions are those of the signal')

    def test(*first: Corrupt) -> dict[str, float]:
        predictions = predict_windows(model, batches_in_order(loader, _Corrupted(loader.dataset, *first)))
        return measure(predictions.known(), evaluator, metainfo_of(loader))

    clean = test()
    rows = [dict(name='clean', kind=None, level=None, test=clean, drop=dict.fromkeys(KEYS, 0.0))]
    for name, kind, level in suite:
        row = dict(name=name, kind=kind, level=level, test=None, drop=None)
        if name in corruptions:
            row['test'] = test(corruptions[name])
            row['drop'] = {key: clean[key] - row['test'][key] for key in KEYS}
        rows.append(row)
    result = dict(checkpoint=str(checkpoint), sha256=file_hash(checkpoint), axes=axes, notes=notes, rows=rows)
    write_atomically((json.dumps(result, indent=2) + '\n').encode(), Path(cfg.work_dir, 'corruptions.json'))
    return result


class _Corrupted(Dataset):
    """Windows of a data set with further transforms before its pipeline.

    A transform runs over the whole batch before the next one does, which takes two thirds of the time of the usual order.
    """

    def __init__(self, dataset: BaseDataset, *first: Corrupt) -> None:
        self.dataset, self.transforms = dataset, [*first, *dataset.pipeline.transforms]

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitems__(self, indices: list[int]) -> list[dict]:
        samples = [self.dataset.get_data_info(index) for index in indices]
        for transform in self.transforms:
            samples = [transform(sample) for sample in samples]
        return samples


def find_axes(channels: Sequence[str]) -> tuple[dict[str, list[list[int]]], list[str]]:
    """Find the triples of channels that are the axes of one sensor, by their names.

    Names of a triple end in x, y and z and begin alike: ``acc_x``, ``hand_gyro_x``, ``ax``. The beginning tells the measured
    quantity; names that are the axis alone are acceleration.

    Args:
        channels (Sequence[str]): Names of the C channels.

    Returns:
        tuple[dict, list[str]]: Indices of x, y and z by measured quantity, 'acc', 'gyr' or 'mag'; and a sentence for each
        triple whose quantity is unknown, which is left out.
    """
    axes: dict[str, list[list[int]]] = {}
    notes = []
    for sensor in sensors_of(channels):
        if not sensor.has_axes:
            continue
        if sensor.kind is None:
            notes.append(f"channels '{sensor.name}' x, y, z are left as they are: their name tells none of {', '.join(KINDS)}")
        else:
            axes.setdefault(sensor.kind, []).append(list(sensor.channels))
    return axes, notes


def _axes_of(cfg: Config, channels: Sequence[str]) -> tuple[dict, list[str]]:
    """Return the axes that the config names, else those that the names of the channels tell."""
    if not cfg.get('corruption_axes'):
        return find_axes(channels)
    check_triples([triple for triples in cfg.corruption_axes.values() for triple in triples])
    given = {kind: find_triples(triples, len(channels), channels) for kind, triples in cfg.corruption_axes.items()}
    return {kind: indices.tolist() for kind, indices in given.items()}, []


def format_corruptions(result: dict) -> str:
    """Format accuracy and macro-F1 in percent, each with its drop, in points.

    Args:
        result (dict): From :func:`evaluate_corruptions`.

    Returns:
        str: Lines to print.
    """
    width = max(len(row['name']) for row in result['rows'])
    head = f'{"":{width}}  {"accuracy":>10}  {"drop":>7}  {"macro-f1":>10}  {"drop":>7}'
    lines = [head, '-' * len(head)]
    for row in result['rows']:
        shown = [(100 * row['test'][key], 100 * row['drop'][key]) for key in KEYS] if row['test'] else []
        # Adding 0.0 turns a drop of −0.00 into 0.00.
        cells = [f'{value:>10.2f}  {round(drop, 2) + 0.0:>7.2f}' for value, drop in shown] or [f'{"-":>10}  {"-":>7}'] * 2
        lines.append(f'{row["name"]:{width}}  {"  ".join(cells)}')
    return '\n'.join([*lines, '-' * len(head), *result['notes']])
