"""Metrics of networks on the windows of a split."""

from __future__ import annotations

import copy
import logging
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from mmengine.config import Config
from mmengine.dist import get_dist_info
from mmengine.evaluator import Evaluator
from mmengine.logging import print_log
from mmengine.registry import EVALUATOR

from mmkd_plugin.engine import Predictions, batches_in_order, predict_windows
from mmkd_plugin.experiments.scores import score
from mmkd_plugin.fileio import plain_metrics

from .predict import build_loader, load_deployed, metainfo_of

__all__ = ['Evaluation', 'choose_evaluator', 'evaluate_checkpoint', 'evaluate_windows', 'measure']

CLASSIFICATION = [dict(type='Accuracy'), dict(type='SingleLabelMetric', items=['f1-score'])]


@dataclass(frozen=True)
class Evaluation:
    """A network on the windows of the test split that have a class.

    Attributes:
        metrics (dict[str, float]): ``accuracy`` and ``macro_f1``, from 0 to 1, and what else the config's evaluator measures.
        predictions (Predictions): Responses to the windows.
        classes (tuple[str, ...]): Names of the classes.
    """

    metrics: dict[str, float]
    predictions: Predictions
    classes: tuple[str, ...]

    def score(self) -> dict | None:
        """Return figures by class and by subject with the confusion matrix, as records hold them."""
        subjects = np.array([str(sample.get('subject', '')) for sample in self.predictions.samples])
        return score(self.predictions.logits.numpy(), self.predictions.labels.numpy(), subjects, self.classes)


def evaluate_checkpoint(cfg: Config, checkpoint: str | Path, teacher: str | None = None) -> dict[str, float]:
    """Return the metrics of :func:`evaluate_windows`."""
    return evaluate_windows(cfg, checkpoint, teacher).metrics


def evaluate_windows(cfg: Config, checkpoint: str | Path, teacher: str | None = None) -> Evaluation:
    """Evaluate the deployed learner, or one teacher, on the test split.

    Args:
        cfg (Config): Config of the run.
        checkpoint (str | Path): Of a run, or of an exported network.
        teacher (str, optional): Name of the teacher to evaluate instead of the deployed learner.

    Returns:
        Evaluation: Metrics, and the responses behind them.

    Raises:
        FileNotFoundError: The checkpoint does not exist.
        ValueError: The checkpoint does not fit the network or the data, or has learned from subjects that are tested.
    """
    loader = build_loader(cfg, 'test')
    predictions = predict_windows(load_deployed(cfg, checkpoint, loader, teacher), batches_in_order(loader)).known()
    present, metainfo = set(predictions.labels.tolist()), metainfo_of(loader)
    absent = [name for label, name in enumerate(metainfo['classes']) if label not in present]
    if absent:
        print_log(f'without a test window, and left out of macro-F1: {", ".join(absent)}', 'current', logging.WARNING)
    metrics = measure(predictions, choose_evaluator(cfg, 'test'), metainfo)
    return Evaluation(metrics, predictions, tuple(metainfo['classes']))


def choose_evaluator(cfg: Config, split: str, role: str = 'student') -> dict | list:
    """Return the config's evaluator of a split; that of a detector's run is the detector's alone.

    Args:
        cfg (Config): Config of the run.
        split (str): 'val' or 'test'.
        role (str): Of the network: 'teacher', 'student', 'learner' or 'detector'.

    Returns:
        dict | list: Config of the evaluator.
    """
    detects = cfg.test_dataloader.dataset.get('anomalies', False)
    return CLASSIFICATION if detects and role != 'detector' else cfg[f'{split}_evaluator']


def measure(predictions: Predictions, evaluator: dict | list, metainfo: dict | None = None) -> dict[str, float]:
    """Compute an evaluator's metrics of predictions, the same in every process.

    Args:
        predictions (Predictions): Of all windows, in every process.
        evaluator (dict | list): Config of an evaluator or of its metrics.
        metainfo (dict, optional): Of the data set, for metrics that read it.

    Returns:
        dict[str, float]: ``accuracy`` and ``macro_f1`` as shares from 0 to 1; a detector's metrics without their prefix; other
        metrics by the host's names, percentages of the host as shares.
    """
    evaluator = copy.deepcopy(evaluator)
    whole = isinstance(evaluator, dict) and 'metrics' in evaluator
    built: Evaluator = EVALUATOR.build(evaluator, default_args=dict(type='Evaluator')) if whole else Evaluator(evaluator)
    built.dataset_meta = metainfo
    records = predictions.records()
    # The host gathers results window by window from one process after another, and drops the surplus.
    rank, processes = get_dist_info()
    turns = range(math.ceil(len(records) / processes))
    built.process([records[(rank + processes * turn) % len(records)] for turn in turns])
    return plain_metrics(built.evaluate(len(records)))
