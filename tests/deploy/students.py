"""Students that nobody has trained, in files as a run exports them, on the windows of BasicMotions."""

from __future__ import annotations

import dataclasses
import functools
from pathlib import Path

import numpy as np
import torch
from helpers import CONFIGS, TINY

from mmkd_plugin.apis import load_config
from mmkd_plugin.apis.predict import build_loader
from mmkd_plugin.deploy import Contract, Student, pack_student

TINY_DATA = ('--config', 'supervised/student', '--data', TINY)  # options of the command
SIGNAL: dict = {}
FIELD = dict(type='GramianAngularField', image_size=None, method='summation', scale=None)
WRN = dict(type='WideResNet', dim=1, depth=16, widen_factor=1)
SMALL = dict(  # reads images
    type='ResNet_CIFAR',
    depth=18,
    num_stages=3,
    stem_channels=16,
    base_channels=16,
    strides=(1, 2, 2),
    dilations=(1, 1, 1),
    out_indices=(0, 1, 2),
)
# View and backbone.
NETWORKS = {
    'WRN16-1': (SIGNAL, WRN),
    'ResNet1d': (SIGNAL, dict(type='ResNet1d')),
    'VGG1d': (SIGNAL, dict(type='VGG1d')),
    'MobileNetV2_1d': (SIGNAL, dict(type='MobileNetV2_1d')),
    'ResNet-18': ({**FIELD, 'scale': (-3, 3)}, dict(type='ResNet', depth=18, out_indices=(0, 1, 2, 3))),
    'MobileNetV2': ({**FIELD, 'method': 'difference'}, dict(type='MobileNetV2')),
}


@functools.cache
def tiny_loader(split: str = 'test'):
    """Config and loader of a split of BasicMotions."""
    cfg = load_config(CONFIGS / 'supervised' / 'student.py', data=TINY)
    return cfg, build_loader(cfg, split)


def random_student(view: dict = SIGNAL, backbone: dict = WRN) -> Student:
    """A student with random weights, and batch norms that have seen windows."""
    cfg, loader = tiny_loader()
    contract = Contract.from_dataset(loader.dataset, cfg, 'sig')
    torch.manual_seed(0)
    student = Student(dataclasses.replace(contract, view=view, network=dict(backbone=backbone)))
    for module in student.modules():
        if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
            module.momentum = None  # the mean over all batches
    windows = loader.dataset.data_list
    student.train()
    with torch.no_grad():
        student(torch.from_numpy(np.stack([windows.signal(index).T for index in range(0, 40, 5)]).astype(np.float32)))
    return student.eval()


def write_random_student(folder: Path, *parts: dict) -> Path:
    """Write a student of :func:`random_student` as a run exports it; return its path."""
    student, (_, loader) = random_student(*parts), tiny_loader()
    contract = student.contract
    path = folder / 'student_best.pth'
    torch.save(pack_student(contract, student.network.state_dict(), contract.network, {}, loader.dataset), path)
    return path
