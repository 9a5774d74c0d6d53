"""Fine-tuning of a student with fake quantisation, by the objective of its own run, before it is exported in int8."""

from __future__ import annotations

import copy
import io
from collections.abc import Iterable
from pathlib import Path

import torch
from mmengine.config import Config
from torch import Tensor

from mmkd_plugin.datasets import WindowDataset
from mmkd_plugin.deploy import Contract, Student, pack_student
from mmkd_plugin.failures import uninterrupted
from mmkd_plugin.fileio import (
    ConfigError,
    deployed_learner,
    load_checkpoint,
    state_fingerprint,
    write_atomically,
)
from mmkd_plugin.models.distillers import deployed_weights, observe_ranges
from mmkd_plugin.registry import MODELS

from .teachers import find_teachers
from .train import train

__all__ = ['fine_tune', 'fine_tuning_config']

SHARE = 0.1  # of the run's learning rate: a second training, of weights that are good already


def fine_tune(cfg: Config, student: Student, path: Path, windows: Iterable[Tensor], validation: WindowDataset) -> Path:
    """Train a student on the grid of its int8 export, and write the weights of the epoch that is best on validation there.

    Args:
        cfg (Config): From :func:`fine_tuning_config`.
        student (Student): That is fine-tuned.
        path (Path): Of the new checkpoint, an exported student like that of a run; its figures are those on the grid.
        windows (Iterable[Tensor]): Windows of training as recorded, ``(N, C, T)`` each, which set the grid.
        validation (WindowDataset): Golden windows are taken from it.

    Returns:
        Path: The same.

    Raises:
        ConfigError: As :func:`mmkd_plugin.apis.train`.
        OSError: A file cannot be written.
    """
    cfg = copy.deepcopy(cfg)
    name, learner = deployed_learner(cfg.model)
    with torch.no_grad():
        samples = [student.encode(batch) for batch in windows]
    learner.network = {**learner.network, 'type': 'QuantizedNetwork', 'ranges': observe_ranges(student.network, samples)}
    train(cfg)
    tuned = load_checkpoint(Path(cfg.work_dir, f'{name}_best.pth'))
    contract = Contract.from_meta(tuned['meta'])
    if contract is None:
        raise ValueError(f'{cfg.work_dir} holds a student without a contract')
    packed = pack_student(contract, tuned['state_dict'], student.contract.network, contract.figures, validation)
    buffer = io.BytesIO()
    with uninterrupted():
        torch.save({**packed, 'meta': {**tuned['meta'], **packed['meta']}}, buffer)
    write_atomically(buffer.getvalue(), path)
    return path


def fine_tuning_config(cfg: Config, student: Student, checkpoint: str | Path, epochs: int, work_dir: Path) -> Config:
    """Return the config of a run that goes on from a student, by the same objective.

    Args:
        cfg (Config): Of the run that has trained the student.
        student (Student): Of the checkpoint.
        checkpoint (str | Path): ``<name>_best.pth`` or ``<name>_last.pth`` of a run.
        epochs (int): Length.
        work_dir (Path): Folder of the run.

    Raises:
        ConfigError: The student is not of such a run, or the run trains something that is not at hand.
        FileNotFoundError: A teacher has not been trained.
    """
    if epochs < 1:
        raise ConfigError(f'--qat must be 1 epoch or more, got {epochs}')
    cfg = copy.deepcopy(cfg)
    name, learner = deployed_learner(cfg.model)
    if learner.get('reads') or dict(learner.network) != dict(student.contract.network or {}):
        raise ConfigError(
            f'--qat trains by --config, whose learner {name!r} is another network than that of {checkpoint}: '
            f'{dict(learner.network)} and {student.contract.network}'
        )
    if any(phase is not None for phase in (cfg.model.get('phases') or {}).values()):
        raise ConfigError(
            '--qat trains by one objective, and --config has phases; leave them out: --cfg-options model.phases=None'
        )
    for teacher, path in find_teachers(cfg).items():
        cfg.model.teachers[teacher].checkpoint = str(path)
    whole = _whole_checkpoint(student, checkpoint, name)
    others = _trained_beside(cfg, name)
    if others and whole is None:
        options = ' '.join(f'model.{other}=None' for other in others)
        raise ConfigError(
            f'--qat goes on from {checkpoint}, and the run has trained {", ".join(others)} too: no best_*.pth that holds them '
            f'lies beside it. Leave them out: --cfg-options {options}'
        )
    cfg.load_from = None if whole is None else str(whole)
    learner.init_from = str(checkpoint) if whole is None else None
    learner.compile = False
    cfg.optim_wrapper.optimizer.lr *= SHARE
    cfg.param_scheduler = dict(type='CosineAnnealingLR', by_epoch=True, convert_to_iter_based=True)
    cfg.train_cfg = dict(by_epoch=True, max_epochs=epochs, val_interval=1)
    cfg.work_dir, cfg.resume = str(work_dir), False
    return cfg


def _whole_checkpoint(student: Student, checkpoint: str | Path, name: str) -> Path | None:
    """Return the checkpoint of a whole run beside that of its student, connectors and all."""
    for path in sorted(Path(checkpoint).parent.glob('best_*.pth')):
        try:
            weights = deployed_weights(load_checkpoint(path)['state_dict'], name)
        except ValueError:  # of another run, or damaged
            continue
        if state_fingerprint(weights) == student.contract.weights:
            return path
    return None


def _trained_beside(cfg: Config, name: str) -> list[str]:
    """Return what a run trains beside one learner: 'learners.peer', 'transfers.hint'."""
    model = MODELS.build(copy.deepcopy({'data_preprocessor': cfg.data_preprocessor, **cfg.model}))
    names = ['.'.join(key.split('.')[:2]) for key, value in model.named_parameters() if value.requires_grad]
    return [other for other in dict.fromkeys(names) if other != f'learners.{name}']
