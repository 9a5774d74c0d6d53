"""A test of every corruption over the forward passes that it needs: the rest is corrupting, collating, encoding and metrics."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import torch
from mmengine.registry import init_default_scope
from timing import take_turns

from mmkd_plugin.apis import evaluate_corruptions, load_config
from mmkd_plugin.apis.predict import build_loader
from mmkd_plugin.datasets.transforms.corrupt import CORRUPTIONS
from mmkd_plugin.engine import batches_in_order, evaluating
from mmkd_plugin.registry import MODELS

CONFIGS = Path(__file__).resolve().parents[1] / 'configs'


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', nargs='?', default=str(CONFIGS / 'supervised' / 'student.py'))
    parser.add_argument('--repeats', type=int, default=5)
    args = parser.parse_args(arguments)
    torch.set_num_threads(1)
    init_default_scope('mmkd_plugin')
    with tempfile.TemporaryDirectory() as folder:
        cfg = load_config(args.config, work_dir=folder)
        model = MODELS.build({'data_preprocessor': cfg.data_preprocessor, **cfg.model})
        network = model.learners[model.deployed]
        checkpoint = Path(folder, 'student.pth')
        torch.save(network.state_dict(), checkpoint)
        views = model.views_of(model.deployed)
        batches = [model.data_preprocessor.encode(data, views) for data in batches_in_order(build_loader(cfg, 'test'))]

        def forward_passes() -> None:
            with evaluating(network):
                for _ in range(1 + len(CORRUPTIONS)):
                    for inputs in batches:
                        network(*(inputs[view] for view in views))

        runs = {'forward': forward_passes, 'suite': lambda: evaluate_corruptions(cfg, checkpoint)}
        times = take_turns(runs, args.repeats)
    windows = sum(len(inputs[views[0]]) for inputs in batches)
    print(f'{windows} windows, clean and {len(CORRUPTIONS)} corruptions, medians of {args.repeats} (torch {torch.__version__})')
    forward, suite = times['forward'], times['suite']
    print(f'forward passes {forward:.2f} s, suite {suite:.2f} s, ratio {suite / forward:.2f}')


if __name__ == '__main__':
    main()
