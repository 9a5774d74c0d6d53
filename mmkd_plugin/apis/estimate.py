"""About how long a run will take: a step is made and timed."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import torch
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.logging import MessageHub
from mmengine.optim import build_optim_wrapper
from mmengine.registry import init_default_scope
from mmengine.runner import Runner as HostRunner

from mmkd_plugin.engine import forgetting_runs, training_labels
from mmkd_plugin.experiments import Run, Teacher
from mmkd_plugin.registry import MODELS
from mmkd_plugin.structures import Taps

from .config import load_config
from .matrix import teacher_config_of
from .teachers import name_rates

__all__ = ['estimate_seconds']

STEPS = 3  # that are made; the fastest counts
OVERHEAD = 1.5  # seconds of a run beside its epochs
VALIDATION = 1.2  # an epoch with its validation and checkpoint over one of steps alone


def estimate_seconds(runs: list[Run], teachers: list[Teacher], threads: int = 1) -> float:
    """Return about how long runs and teachers take one after another, in seconds.

    Args:
        runs (list[Run]): Those that are to be made.
        teachers (list[mmkd_plugin.experiments.Teacher]): Those that have to be trained.
        threads (int): Of a run.
    """
    known: dict[tuple, float] = {}
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        total = 0.0
        for run in runs:
            key: tuple = (run.method, run.data, repr(run.settings))
            if key not in known:
                known[key] = _seconds(load_config(**run.arguments))
            total += known[key]
        for teacher in teachers:
            key = (teacher.kind,)
            if key not in known:
                known[key] = _seconds(teacher_config_of(load_config(**teacher.arguments), teacher.key))
            total += known[key]
    finally:
        torch.set_num_threads(before)
    return total


@forgetting_runs()
def _seconds(cfg: Config) -> float:
    """Return about how long a run takes, in seconds; outputs of teachers are taken to be kept."""
    init_default_scope(cfg.get('default_scope', 'mmkd_plugin'))
    name_rates(cfg)
    hub = MessageHub.get_instance('estimate')  # halfway through a run every transfer is on
    hub.update_info('iter', 50)
    hub.update_info('max_iters', 100)
    loader = HostRunner.build_dataloader(cfg.train_dataloader, seed=0)
    settings: dict[str, Any] = {'data_preprocessor': cfg.data_preprocessor, **cfg.model}
    model = MODELS.build(settings).to(get_device()).train()
    model.remember(lambda: training_labels(loader.dataset))
    batch = next(iter(loader))
    kept = {name: _Kept(next(iter(model.teacher_outputs(name, [batch])))) for name in model.teachers}
    model.use_caches(kept)
    optimizer = build_optim_wrapper(model, cfg.optim_wrapper)
    seconds = []
    for _ in range(STEPS):
        begin = time.perf_counter()
        model.train_step(batch, optimizer)
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - begin)
    steps = cfg.train_cfg.get('max_iters') or cfg.train_cfg.max_epochs * len(loader)
    return OVERHEAD + VALIDATION * steps * min(seconds)


@dataclass(frozen=True)
class _Kept:
    """The outputs of a teacher on one batch, in the place of a cache."""

    taps: Taps

    def read(self, index: torch.Tensor, network: Any, device: torch.device) -> Taps:
        """Return the outputs."""
        return self.taps
