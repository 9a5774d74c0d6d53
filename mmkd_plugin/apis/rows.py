"""One row per network of a finished run: what the network is, its metrics, and the logits behind them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from mmengine.config import Config
from mmengine.logging import print_log
from numpy.typing import NDArray
from torch.utils.data import DataLoader
from torch.utils.flop_counter import FlopCounterMode

from mmkd_plugin.engine import Predictions, batches_in_order, evaluating, predict_windows
from mmkd_plugin.fileio import file_hash, find_network, read_predictions, read_result
from mmkd_plugin.models.distillers import Distiller, LazyTaps

from .predict import metainfo_of
from .test import choose_evaluator, measure

__all__ = ['align_logits', 'count_macs', 'describe', 'own_rows', 'prediction_arrays', 'teacher_row', 'test_networks']


def test_networks(model: Distiller, loaders: Mapping[str, DataLoader]) -> dict[str, Predictions]:
    """Run everything that a model is tested as over the test windows; a detector is calibrated before.

    Args:
        model (Distiller): With its weights.
        loaders (Mapping[str, DataLoader]): Of 'train', 'val' and 'test'.

    Returns:
        dict[str, Predictions]: By name, see :meth:`Distiller.roles`.
    """
    if hasattr(model, 'calibrate'):
        threshold = model.calibrate(*(batches_in_order(loaders[split]) for split in ('train', 'val')))
        print_log(f'threshold {threshold:.4g}: {100 * model.quantile:g} % of normal validation windows lie below', 'current')
    return {name: predict_windows(model, batches_in_order(loaders['test']), name) for name in model.roles()}


def own_rows(
    cfg: Config, model: Distiller, predictions: Mapping[str, Mapping[str, Predictions]], loaders: Mapping
) -> list[dict]:
    """Return the rows of what a run has trained, the student first.

    Args:
        cfg (Config): Config of the run.
        model (Distiller): Trained.
        predictions (Mapping): Of every network by name, under 'val' (the best epoch), 'best' and 'last' (on the test split).
        loaders (Mapping[str, DataLoader]): Of 'val' and 'test'.

    Returns:
        list[dict]: As :func:`describe`, with ``val`` and ``test``; ``checkpoint`` and ``sha256`` are None, since only the
        student is exported.
    """
    rows = []
    for name, role in sorted(model.roles().items(), key=lambda item: item[1] != 'student'):
        val, best, last = (
            _measure(cfg, role, split, predictions[key][name], loaders[split])
            for key, split in (('val', 'val'), ('best', 'test'), ('last', 'test'))
        )
        rows.append(
            {
                **describe(model, name, role),
                'checkpoint': None,
                'sha256': None,
                'val': val,
                'test': {'best': best, 'last': last},
            }
        )
    return rows


def teacher_row(
    cfg: Config, model: Distiller, name: str, folder: Path | None, loader: DataLoader
) -> tuple[dict, dict[str, tuple[tuple[str, ...], NDArray]]]:
    """Return a teacher's row and logits: from its own run, or measured now if the teacher came as a checkpoint or outputs.

    Args:
        cfg (Config): Config of the run.
        model (Distiller): Whose teacher.
        name (str): Of the teacher.
        folder (Path, optional): Work directory of the teacher's own run.
        loader (DataLoader): Of the test split.

    Returns:
        tuple[dict, dict]: The row, and by 'best' or 'last' the window ids and the logits ``(n, K)``. A teacher that came as a
        checkpoint has no ``val`` and no last epoch: it may have learned from the validation subjects. For one that came as
        outputs, ``checkpoint`` is their file, and ``params`` and ``macs`` are 0.
    """
    entry = cfg.model.teachers[name]
    path = entry.get('outputs') or entry.checkpoint
    row = {**describe(model, name, 'teacher'), 'checkpoint': path, 'sha256': file_hash(path)}
    if folder is None:
        predictions = predict_windows(model, batches_in_order(loader), name)
        row.update(val=None, test={'best': _measure(cfg, 'teacher', 'test', predictions, loader), 'last': None})
        return row, {'best': (predictions.window_ids, predictions.logits.numpy())}
    own, arrays = find_network(read_result(folder)), read_predictions(folder)
    row.update(val=own['val'], test=own['test'])
    return row, {which: (tuple(arrays['window_ids']), arrays[f'{own["name"]}/{which}']) for which in ('best', 'last')}


def describe(model: Distiller, name: str, role: str) -> dict:
    """Return ``name``, ``role``, ``view`` (several joined by +), ``params`` and ``macs`` of the response to one window."""
    params = sum(parameter.numel() for module in model.modules_of(name) for parameter in module.parameters())
    return {
        'name': name,
        'role': role,
        'view': '+'.join(model.views_of(name)),
        'params': params,
        'macs': None if role == 'detector' else count_macs(model, name),
    }


def count_macs(model: Distiller, name: str) -> int:
    """Count the multiplications and additions of convolutions and matrix products for one window, its views being made."""
    signal = model.data_preprocessor.zeros(next(model.parameters()).device)
    views = model.data_preprocessor.make(signal, model.views_of(name))
    with evaluating(model), FlopCounterMode(display=False) as counter:
        LazyTaps(model, views)[name].logits  # noqa: B018  # read, so that the network is run
    return counter.get_total_flops() // 2


def prediction_arrays(
    predictions: Mapping[str, Mapping[str, Predictions]],
    teachers: Mapping[str, Mapping[str, tuple[tuple[str, ...], NDArray]]],
) -> dict[str, NDArray]:
    """Return what ``predictions.npz`` holds, see :func:`~mmkd_plugin.fileio.write_predictions`.

    Args:
        predictions (Mapping): Of every network by name, under 'best' and 'last'.
        teachers (Mapping): Window ids and logits by teacher and by 'best' or 'last'.
    """
    first = next(iter(predictions['best'].values()))
    arrays = {'window_ids': np.array(first.window_ids), 'labels': first.labels.numpy()}
    arrays['subjects'] = np.array([str(sample.get('subject', '')) for sample in first.samples])
    for name, by in teachers.items():
        arrays.update({f'{name}/{which}': align_logits(first.window_ids, *saved) for which, saved in by.items()})
    for which in ('best', 'last'):
        for name, predicted in predictions[which].items():
            arrays[f'{name}/{which}'] = predicted.logits.numpy()
            arrays.update({f'{name}/{which}/{field}': values.numpy() for field, values in predicted.fields.items()})
    return arrays


def _measure(cfg: Config, role: str, split: str, predictions: Predictions, loader: DataLoader) -> dict[str, float]:
    """Return the metrics of a role: a classifier is tested on the classes that it knows."""
    predictions = predictions if role == 'detector' else predictions.known()
    return measure(predictions, choose_evaluator(cfg, split, role), metainfo_of(loader))


def align_logits(wanted: tuple[str, ...], window_ids: tuple[str, ...], logits: NDArray) -> NDArray:
    """Return the logits ``(n, K)`` of the wanted windows; a window without a response has NaN.

    Args:
        wanted (tuple[str, ...]): Names of the n windows.
        window_ids (tuple[str, ...]): Names of the windows that have logits.
        logits (ndarray): One row for each of these.
    """
    rows = {window: row for row, window in enumerate(window_ids)}
    chosen = np.array([rows.get(window, -1) for window in wanted])
    return np.where(chosen[:, None] >= 0, logits[chosen], np.float32('nan'))
