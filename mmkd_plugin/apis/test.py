"""Figures of a network on the test subjects."""

from __future__ import annotations

import copy
import itertools
from pathlib import Path

from mmengine.config import Config
from mmengine.runner import Runner

from mmkd_plugin.fileio import deployed_learner
from mmkd_plugin.models.distillers.teachers import load_network

__all__ = ['evaluate_checkpoint', 'figures']

TESTS = itertools.count()
CLASSIFICATION = [dict(type='Accuracy'), dict(type='SingleLabelMetric', items=['f1-score'])]


def figures(metrics: dict[str, float]) -> dict[str, float]:
    """Accuracy and macro-F1 as shares from 0 to 1, out of the host's percentages; a detector's figures as they are."""
    if 'accuracy/top1' in metrics:
        return {'accuracy': metrics['accuracy/top1'] / 100, 'macro_f1': metrics['single-label/f1-score'] / 100}
    return {name.partition('/')[2]: value for name, value in metrics.items() if name.startswith('anomaly/')}


def evaluate_checkpoint(cfg: Config, checkpoint: str | Path, teacher: str | None = None) -> dict[str, float]:
    """Evaluate the deployed learner, or one teacher, on the test split.

    Args:
        cfg (Config): Config of the run.
        checkpoint (str | Path): Of a run, or of an exported network.
        teacher (str, optional): Name of the teacher to evaluate instead of the deployed learner.

    Returns:
        dict[str, float]: ``accuracy`` and ``macro_f1``, from 0 to 1.

    Raises:
        FileNotFoundError: There is no such checkpoint.
        ValueError: It does not fit the network.
    """
    cfg = copy.deepcopy(cfg)  # Config.copy shares what is nested
    if teacher is None:
        name, learner = deployed_learner(cfg.model)
    else:
        name, learner = teacher, cfg.model.teachers[teacher]
    # The network alone: no teacher is built, and no view but its own is made.
    network = dict(view=learner['view'], network=learner['network'])
    if cfg.test_dataloader.dataset.pop('anomalies', False):  # a classifier is tested on what it knows
        cfg.test_evaluator = CLASSIFICATION
    cfg.model = dict(type='Distiller', deployed=name, learners={name: network})
    cfg.merge_from_dict(dict(resume=False, load_from=None))
    for key in (
        'train_dataloader',
        'train_cfg',
        'optim_wrapper',
        'param_scheduler',
        'val_dataloader',
        'val_cfg',
        'val_evaluator',
    ):
        cfg[key] = None
    # The host names logs and message hubs by the second; two tests can fall into one.
    cfg.experiment_name = f'test_{name}_{next(TESTS)}'
    # The host writes the config into the work dir by this name, where that of the training lies.
    path = Path(cfg.filename or 'config.py')
    object.__setattr__(cfg, '_filename', str(path.with_name(f'{path.stem}_test_{name}.py')))
    runner = Runner.from_cfg(cfg)
    model = getattr(runner.model, 'module', runner.model)
    load_network(model.learners[name], checkpoint, None if teacher else name)
    return figures(runner.test())
