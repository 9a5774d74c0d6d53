"""Losses of the first steps of every shipped method, on the tiny data, with networks whose weights follow from their names."""

from __future__ import annotations

import contextlib
import functools
import io
import json
import warnings
from pathlib import Path

import torch
from helpers import CONFIGS, tiny_config
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.registry import DefaultScope

from mmkd_plugin.engine import Runner
from mmkd_plugin.models.distillers.build import borrow_classifiers
from mmkd_plugin.registry import MODELS

from .drawn import Drawn, fill

__all__ = ['EPOCH', 'STEPS', 'losses', 'method_names']

STEPS = 50
EPOCH = 5  # steps: 32 windows in batches of 6, the last two left out
# Steps of at most this norm: at the shipped rate, a rounding of 1e-7 has become 2e-2 after ten steps of AT, whose gradient is large.
RATE, NORM = 0.002, 1.0
WRITERS = ('timer', 'logger', 'checkpoint')  # hooks of the host that are switched off, as those here
LEFT_OUT = ('DoctorHook', 'CalibrationHook')  # hooks that change no step


def method_names() -> list[str]:
    """Return the names of all shipped methods."""
    return sorted(path.stem for path in CONFIGS.glob('*.py'))


class _Losses(Hook):
    """Keeps the losses of every step, and ends the run after some of them."""

    priority = 'VERY_LOW'

    def __init__(self, steps: int) -> None:
        self.steps, self.done, self.values = steps, 0, {}

    def before_train(self, runner) -> None:
        """Give all that learns its weights, whatever the initialisers of torch have made of them."""
        model = runner.model
        fill(model, 'learner')
        borrow_classifiers(model.classifiers, model.learners, model.teachers)
        self.random = torch.get_rng_state()

    def after_train(self, runner) -> None:
        """See that no step has drawn numbers that :class:`Drawn` does not make."""
        if not torch.equal(self.random, torch.get_rng_state()):
            raise RuntimeError('a step draws numbers by torch, which another version may draw otherwise: see Drawn')

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None) -> None:
        """Keep every term: in their sum a small one would not be seen."""
        for name, value in outputs.items():
            if name.startswith('loss_') and self.done < self.steps:
                self.values.setdefault(name, []).append(float(value))
        self.done += 1
        runner.train_loop.stop_training = self.done >= self.steps  # which the loop reads after an epoch


def losses(name: str, folder: Path, steps: int = STEPS) -> list[list]:
    """Return the name of every term and its values in the first steps of a run of :data:`STEPS`, its teachers trained by nobody.

    Args:
        name (str): A config.
        folder (Path): For files of the run, and the outputs of teachers, which methods share.
        steps (int): At most :data:`STEPS`.
    """
    record = _Losses(steps)
    with Drawn(name), warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter('ignore')
        with DefaultScope.overwrite_default_scope('mmkd_plugin'):
            runner = Runner.from_cfg(_config(name, folder))
            runner.register_hook(record)
            runner.train()
    return [[term, *values] for term, values in sorted(record.values.items())]


def _config(name: str, folder: Path) -> Config:
    cfg = tiny_config(f'{name}.py', folder / name, folder, epochs=STEPS // EPOCH)
    cfg.train_dataloader.update(batch_size=6, drop_last=True)
    if cfg.model.type == 'AnomalyDetector':  # which learns from three of four classes
        cfg.train_cfg.max_epochs = 13
    cfg.train_cfg.val_begin = STEPS  # epochs, so never
    cfg.visualizer.vis_backends = []
    cfg.default_hooks = {'param_scheduler': cfg.default_hooks.param_scheduler, **dict.fromkeys(WRITERS)}
    cfg.custom_hooks = [hook for hook in cfg.custom_hooks if hook.type not in LEFT_OUT]
    cfg.optim_wrapper.optimizer.lr = RATE
    cfg.optim_wrapper.clip_grad = dict(max_norm=NORM)
    for phase in (cfg.model.get('phases') or {}).values():
        phase.lr = RATE
    for learner in cfg.model.learners.values():
        learner.pop('init_from', None)  # another run's result
    for teacher in (cfg.model.get('teachers') or {}).values():
        teacher.checkpoint = _teacher(folder, json.dumps(teacher.network), teacher.view, json.dumps(cfg.data_preprocessor))
    return cfg


@functools.cache
def _teacher(folder: Path, network: str, view: str, preprocessor: str) -> str:
    """Write the weights of a teacher that nobody has trained, once for all methods; return the path."""
    views = MODELS.build(json.loads(preprocessor))
    shape = tuple(views.make(views.zeros(), [view])[view].shape[1:])
    settings = dict(type='mmkd_plugin.Network', sample_shape=shape, num_classes=views.num_classes, **json.loads(network))
    teacher = MODELS.build(settings)
    fill(teacher, 'teacher')
    if teacher.classifier is not None:
        teacher.classifier.weight.data.mul_(8)  # as sure of itself as one that is trained, so that there is something to learn
    path = folder / f'{view}_{views.num_classes}_{_teacher.cache_info().currsize}.pth'
    torch.save({'state_dict': teacher.state_dict(), 'meta': {}}, path)
    return str(path)
