"""What is left of a network's figures when the test windows are corrupted."""

from __future__ import annotations

import copy
import json
from collections.abc import Sequence
from pathlib import Path

from mmengine.config import Config
from mmengine.registry import init_default_scope

from mmkd_plugin.datasets.channels import KINDS, sensors_of
from mmkd_plugin.datasets.transforms.corrupt import CORRUPTIONS, NEED_AXES, Corrupt
from mmkd_plugin.datasets.transforms.geometry import check_triples, find_triples
from mmkd_plugin.fileio import file_hash, write_atomically
from mmkd_plugin.registry import DATASETS

from .test import evaluate_checkpoint

__all__ = ['choose_corruptions', 'evaluate_corruptions', 'find_axes', 'format_corruptions']

KEYS = ('accuracy', 'macro_f1')


def choose_corruptions(names: Sequence[str]) -> list[tuple]:
    """Rows of the suite by name; a kind is all its levels, and no name is everything.

    Raises:
        ValueError: There is no such corruption.
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
    or given by the config: ``corruption_axes = dict(acc=[('ax', 'ay', 'az')], gyr=[(3, 4, 5)])``. Logs lie in ``corruptions/``.

    Args:
        cfg (Config): Config of the run.
        checkpoint (str | Path): Of a run, or of an exported network.
        suite (Sequence[tuple], optional): Name, kind and level of each, as in ``CORRUPTIONS``, which is the default.

    Returns:
        dict: ``checkpoint``, its ``sha256``, ``axes`` (places of channels), ``notes`` (what was left out, for people) and
        ``rows``, the first of them clean: ``name``, ``kind``, ``level``, ``test`` (figures from 0 to 1) and ``drop`` (clean
        minus these), both None where it was left out.

    Raises:
        FileNotFoundError: There is no such checkpoint.
        ValueError: The checkpoint does not fit, or a corruption or the axes are impossible.
    """
    cfg = copy.deepcopy(cfg)
    path = Path(cfg.work_dir, 'corruptions.json')
    cfg.work_dir, cfg.log_level = str(Path(cfg.work_dir, 'corruptions')), 'WARNING'  # not over the logs of the training
    if cfg.get('visualizer'):
        cfg.visualizer.vis_backends = None  # figures go into the JSON; to hand the config to each backend is most of a test
    suite = CORRUPTIONS if suite is None else suite
    axes, notes = _axes_of(cfg) if any(kind in NEED_AXES for _, kind, _ in suite) else ({}, [])
    missed = [] if axes else [kind for kind in NEED_AXES if kind in {row[1] for row in suite}]
    if missed:
        notes.append(f'{" and ".join(missed)}: not tested, no axes were found; corruption_axes in the config would name them')
    for _, kind, level in suite:  # a wrong one ends it before anything is tested
        if kind not in missed:
            Corrupt(kind, level, axes)
    pipeline = cfg.test_dataloader.dataset.pipeline
    clean = evaluate_checkpoint(cfg, checkpoint)
    rows = [dict(name='clean', kind=None, level=None, test=clean, drop=dict.fromkeys(KEYS, 0.0))]
    for name, kind, level in suite:
        row = dict(name=name, kind=kind, level=level, test=None, drop=None)
        if kind not in missed:
            cfg.test_dataloader.dataset.pipeline = [dict(type='Corrupt', kind=kind, level=level, axes=axes), *pipeline]
            row['test'] = evaluate_checkpoint(cfg, checkpoint)
            row['drop'] = {key: clean[key] - row['test'][key] for key in KEYS}
        rows.append(row)
    result = dict(checkpoint=str(checkpoint), sha256=file_hash(checkpoint), axes=axes, notes=notes, rows=rows)
    write_atomically((json.dumps(result, indent=2) + '\n').encode(), path)
    return result


def find_axes(channels: Sequence[str]) -> tuple[dict[str, list[list[int]]], list[str]]:
    """Triples of channels that are the axes of one sensor, by their names.

    Names of a triple end in x, y and z and begin alike: ``acc_x``, ``hand_gyro_x``, ``ax``. What comes before tells what is
    measured; names that are the axis alone are acceleration.

    Args:
        channels (Sequence[str]): Names of the C channels.

    Returns:
        tuple[dict, list[str]]: Places of x, y and z by what is measured, 'acc', 'gyr' or 'mag'; and a sentence for each triple
        whose quantity is unknown, which is left out.
    """
    axes, notes = {}, []
    for sensor in sensors_of(channels):
        if not sensor.has_axes:
            continue
        if sensor.kind is None:
            notes.append(f"channels '{sensor.name}' x, y, z are left as they are: their name tells none of {', '.join(KINDS)}")
        else:
            axes.setdefault(sensor.kind, []).append(list(sensor.channels))
    return axes, notes


def _axes_of(cfg: Config) -> tuple[dict, list[str]]:
    """What the config says, else what the names of the channels say."""
    init_default_scope(cfg.get('default_scope', 'mmkd_plugin'))
    channels = DATASETS.build(cfg.test_dataloader.dataset).metainfo['channels']
    if not cfg.get('corruption_axes'):
        return find_axes(channels)
    check_triples([triple for triples in cfg.corruption_axes.values() for triple in triples])
    given = {kind: find_triples(triples, len(channels), channels) for kind, triples in cfg.corruption_axes.items()}
    return {kind: places.tolist() for kind, places in given.items()}, []


def format_corruptions(result: dict) -> str:
    """Accuracy and macro-F1 in percent, each with what it lost, in points.

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
        # A drop of −0.00 is none.
        cells = [f'{figure:>10.2f}  {round(drop, 2) + 0.0:>7.2f}' for figure, drop in shown] or [f'{"-":>10}  {"-":>7}'] * 2
        lines.append(f'{row["name"]:{width}}  {"  ".join(cells)}')
    return '\n'.join([*lines, '-' * len(head), *result['notes']])
