"""Six networks as ONNX files in onnxruntime beside themselves in PyTorch, on windows of the default data."""

from __future__ import annotations

import argparse
import dataclasses
import tempfile
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from mmkd_plugin.apis import export_checkpoint, load_config
from mmkd_plugin.apis.predict import build_loader
from mmkd_plugin.datasets import Windows
from mmkd_plugin.deploy import Contract, Student, pack_student
from mmkd_plugin.deploy.artifact import difference
from mmkd_plugin.deploy.verify import run_student

CONFIGS = Path(__file__).resolve().parents[1] / 'configs'
FIELD = dict(type='GramianAngularField', scale=(-3, 3))
# View and backbone.
NETWORKS = {
    'WRN16-1': ({}, dict(type='WideResNet', dim=1, depth=16, widen_factor=1)),
    'ResNet1d': ({}, dict(type='ResNet1d')),
    'VGG1d': ({}, dict(type='VGG1d')),
    'MobileNetV2_1d': ({}, dict(type='MobileNetV2_1d')),
    'ResNet-18 on the Gramian field': (FIELD, dict(type='ResNet', depth=18, out_indices=(0, 1, 2, 3))),
    'MobileNetV2 on the Gramian field': (FIELD, dict(type='MobileNetV2')),
}


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', nargs='?', default=str(CONFIGS / 'supervised' / 'student.py'))
    args = parser.parse_args(arguments)
    titles = ('network', 'windows', 'same class', 'logits', 'probabilities', 'PyTorch alone', 'file, KiB', 'activations, KiB')
    print(f'| {" | ".join(titles)} | ms, p50 | PyTorch |')
    print('|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|')
    with tempfile.TemporaryDirectory() as folder:
        cfg = load_config(args.config, work_dir=folder)
        dataset = build_loader(cfg, 'test').dataset
        contract = Contract.from_dataset(dataset, cfg, 'sig')
        for name, (view, backbone) in NETWORKS.items():
            own = dataclasses.replace(contract, view=view)
            torch.manual_seed(0)
            student = _student(dataclasses.replace(own, network=dict(backbone=backbone)), dataset.data_list)
            network = student.network
            path = Path(folder, 'student_best.pth')
            torch.save(pack_student(own, network.state_dict(), dict(backbone=backbone), {}, dataset), path)
            (exported,) = export_checkpoint(path, cfg=cfg)
            seen, cost = exported.comparison, exported.budget
            apart = ' | '.join(f'{value:.1e}' for value in seen.differences.values())
            times = ' | '.join(f'{each["p50"]:.2f}' for each in cost.latency.values())
            sizes = f'{cost.bytes / 1024:,.0f} | {(cost.activations or 0) / 1024:,.1f}'
            rounding = _own_difference(student, _signal(dataset.data_list))
            cells = f'{name} | {seen.windows:,} | {100 * seen.agreement:.2f} % | {apart} | {rounding:.1e} | {sizes} | {times}'
            print(f'| {cells} |', flush=True)


def _student(contract: Contract, windows: Windows) -> Student:
    """Return a student with random weights whose batch norms know the statistics of some windows, so that windows differ."""
    student = Student(contract)
    for module in student.modules():
        if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
            module.momentum = None  # the mean over all batches
    student.train()
    with torch.no_grad():
        student(torch.from_numpy(_signal(windows)))
    return student.eval()


def _signal(windows: Windows) -> NDArray:
    return np.stack([windows.signal(index).T for index in range(0, len(windows), 4)]).astype(np.float32)


def _own_difference(student: Student, signal: NDArray) -> float:
    """Return how far PyTorch is from itself, with one window at a time instead of all at once."""
    run = run_student(student)
    alone = [np.concatenate(outputs) for outputs in zip(*(run(signal[index : index + 1]) for index in range(len(signal))))]
    return float(difference(run(signal), alone)['logits'].max())


if __name__ == '__main__':
    main()
