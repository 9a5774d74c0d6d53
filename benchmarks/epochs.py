"""An epoch of distillation over an epoch of the student alone, with the teachers' outputs kept and without."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

import torch
from mmengine.logging import MessageHub
from mmengine.optim import build_optim_wrapper
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from timing import take_turns

from mmkd_plugin.apis import load_config
from mmkd_plugin.engine import inputs_fingerprint, training_labels
from mmkd_plugin.models.distillers.lazy_taps import LazyTaps, labels_and_indices
from mmkd_plugin.registry import MODELS
from mmkd_plugin.structures import Taps

CONFIGS = Path(__file__).resolve().parents[1] / 'configs'
METHODS = ('kd', 'aver_kd', 'entropy_kd', 'ca_mkd', 'fam_kd')


def epoch(name: str, folder: str | None):
    """A function that trains a config for one epoch, its teachers read from a folder or run."""
    cfg = load_config(CONFIGS / f'{name}.py')
    torch.manual_seed(0)
    model = MODELS.build({'data_preprocessor': cfg.data_preprocessor, **cfg.model}).train()
    loader = Runner.build_dataloader(cfg.train_dataloader, seed=0)
    model.remember(lambda: training_labels(loader.dataset))
    if folder is not None:
        caches = model.plan_caches(folder, inputs_fingerprint(cfg, loader.dataset))
        for teacher, cache in caches.items():
            if cache.faults(len(loader.dataset)):
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


def parts(name: str):
    """What an epoch takes beside the student: views and teachers' forward passes, and the transfers, forward and backward."""
    cfg = load_config(CONFIGS / f'{name}.py')
    torch.manual_seed(0)
    model = MODELS.build({'data_preprocessor': cfg.data_preprocessor, **cfg.model}).train()
    loader = Runner.build_dataloader(cfg.train_dataloader, seed=0)
    optimizer = build_optim_wrapper(model.transfers, cfg.optim_wrapper) if list(model.transfers.parameters()) else None
    batches = list(loader)
    with torch.no_grad():
        taps = []
        for data in batches:
            result = LazyTaps(model, model.data_preprocessor(data, True)['inputs'])
            taps.append(({name: result[name] for name in result}, labels_and_indices(data['data_samples'])[0]))
    for result, _ in taps:
        result['student'] = detached(result['student'])

    def teachers() -> None:
        for data in loader:
            inputs = model.data_preprocessor(data, True)['inputs']
            with torch.no_grad():
                for name in model.teachers:
                    model.teachers[name](inputs[model.views[name]])

    def transfers() -> None:
        for result, labels in taps:
            loss = sum(transfer(result, labels, 1.0) for transfer in model.transfers.values())
            loss.backward() if optimizer is None else optimizer.update_params(loss)

    return teachers, transfers


def detached(taps: Taps) -> Taps:
    """The student's taps as leaves, so that a backward pass ends at them."""
    leaves = [tap.detach().requires_grad_() for tap in (*taps.stages, taps.embedding, taps.logits)]
    *stages, embedding, logits = leaves
    return replace(taps, stages=tuple(stages), embedding=embedding, logits=logits)


def main(arguments: list[str] | None = None) -> None:
    init_default_scope('mmkd_plugin')
    hub = MessageHub.get_instance('epochs')  # halfway through a run every transfer is on
    hub.update_info('iter', 50)
    hub.update_info('max_iters', 100)
    heads = ('student', 'kept', 'run', 'transfers', 'parts')
    print(f'{"epoch of":12}' + ''.join(f'  {head:>8}' for head in heads) + f'  {"kept/student":>13}  {"run/parts":>10}')
    with tempfile.TemporaryDirectory() as folder:
        for name in METHODS:
            teachers, transfers = parts(name)
            runs = {
                'student': epoch('supervised/student', None),
                'kept': epoch(name, folder),
                'run': epoch(name, None),
                'teachers': teachers,
                'transfers': transfers,
            }
            times = take_turns(runs, repeats=5)
            alone, kept, run = times['student'], times['kept'], times['run']
            total = alone + times['teachers'] + times['transfers']
            print(
                f'{name:12}  {alone:8.2f}  {kept:8.2f}  {run:8.2f}  {times["transfers"]:8.2f}  {total:8.2f}'
                f'  {kept / alone:13.2f}  {run / total:10.2f}',
                flush=True,
            )
    print('seconds; parts: the student, views and forward passes of the teachers, and the transfers, each measured alone')


if __name__ == '__main__':
    main()
