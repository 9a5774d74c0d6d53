"""What a training step of every method costs beside plain distillation: views, forward, backward and the optimiser's step.

Both models take turns in one process, and the ratio is that of their medians.
"""

from __future__ import annotations

import argparse
import itertools
import time
from pathlib import Path
from statistics import median

import torch
from mmengine.config import Config
from mmengine.dataset import default_collate
from mmengine.logging import MessageHub
from mmengine.optim import build_optim_wrapper
from mmengine.registry import init_default_scope

from mmkd_plugin.apis import load_config
from mmkd_plugin.registry import DATASETS, MODELS

CONFIGS = Path(__file__).resolve().parents[1] / 'configs'


def stepper(cfg: Config, device: str = 'cpu'):
    """The model of a config, and a function that makes one training step of it on its own data."""
    torch.manual_seed(0)
    model = MODELS.build({'data_preprocessor': cfg.data_preprocessor, **cfg.model}).train().to(device)
    dataset, size = DATASETS.build(cfg.train_dataloader.dataset), cfg.train_dataloader.batch_size
    model.remember(lambda: torch.from_numpy(dataset.data_list.label))
    batches = itertools.cycle(
        [default_collate([dataset[i] for i in range(k, len(dataset), len(dataset) // size)][:size]) for k in range(4)]
    )
    optimizer = build_optim_wrapper(model, cfg.optim_wrapper)
    return model, lambda: model.train_step(next(batches), optimizer)


def seconds(step) -> float:
    start = time.perf_counter()
    step()
    return time.perf_counter() - start


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('names', nargs='*', help='configs below configs/, without the ending; every method by default')
    parser.add_argument('--repeats', type=int, default=9)
    args = parser.parse_args(arguments)
    torch.set_num_threads(1)
    init_default_scope('mmkd_plugin')
    hub = MessageHub.get_instance('steps')  # halfway through a run every transfer is on
    hub.update_info('iter', 50)
    hub.update_info('max_iters', 100)
    names = args.names or sorted(path.stem for path in CONFIGS.glob('*.py'))
    _, plain = stepper(load_config(CONFIGS / 'kd.py'))
    print(f'{"method":20}  {"ms":>7}  {"over kd":>7}   (medians of {args.repeats}, one thread, torch {torch.__version__})')
    for name in ['supervised/student', *names]:
        _, step = stepper(load_config(CONFIGS / f'{name}.py'))
        for _ in range(3):
            plain(), step()
        times = [(seconds(plain), seconds(step)) for _ in range(args.repeats)]
        own, theirs = median(t[1] for t in times), median(t[0] for t in times)
        print(f'{name:20}  {1000 * own:7.1f}  {own / theirs:7.2f}', flush=True)


if __name__ == '__main__':
    main()
