"""An epoch of distillation over an epoch of the student alone, with the teachers' outputs kept and without."""

from __future__ import annotations

import tempfile
from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.logging import MessageHub
from mmengine.optim import build_optim_wrapper
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from timing import take_turns

from mmkd_plugin.engine import identity_of, training_labels
from mmkd_plugin.registry import MODELS

CONFIGS = Path(__file__).resolve().parents[1] / 'configs'
METHODS = ('kd', 'aver_kd', 'entropy_kd', 'ca_mkd', 'fam_kd')


def epoch(name: str, folder: str | None):
    """A function that trains a config for one epoch, its teachers read from a folder or run."""
    cfg = Config.fromfile(CONFIGS / f'{name}.py')
    torch.manual_seed(0)
    model = MODELS.build({'data_preprocessor': cfg.data_preprocessor, **cfg.model}).train()
    loader = Runner.build_dataloader(cfg.train_dataloader, seed=0)
    model.remember(lambda: training_labels(loader.dataset))
    if folder is not None:
        caches = model.plan_caches(folder, identity_of(cfg, loader.dataset))
        for teacher, cache in caches.items():
            if not cache.valid:
                ordered = Runner.build_dataloader(
                    {**cfg.train_dataloader, 'sampler': dict(type='DefaultSampler', shuffle=False)}
                )
                cache.build(model.teacher_outputs(teacher, ordered), len(loader.dataset))
        model.use_caches(caches)
    optimizer = build_optim_wrapper(model, cfg.optim_wrapper)

    def run() -> None:
        for data in loader:
            model.train_step(data, optimizer)

    return run


def main(arguments: list[str] | None = None) -> None:
    init_default_scope('mmkd_plugin')
    hub = MessageHub.get_instance('epochs')  # halfway through a run every arrow is on
    hub.update_info('iter', 50)
    hub.update_info('max_iters', 100)
    print(f'{"epoch of":12}  {"kept, s":>8}  {"run, s":>8}  {"kept / student":>15}  {"run / student":>14}')
    with tempfile.TemporaryDirectory() as folder:
        for name in METHODS:
            runs = {
                'student': epoch('supervised/student', None),
                'kept': epoch(name, folder),
                'run': epoch(name, None),
            }
            times = take_turns(runs, repeats=3)
            alone, kept, run = times['student'], times['kept'], times['run']
            print(f'{name:12}  {kept:8.2f}  {run:8.2f}  {kept / alone:15.2f}  {run / alone:14.2f}', flush=True)


if __name__ == '__main__':
    main()
