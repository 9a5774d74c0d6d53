"""Trials of UTD-MHAD."""

import numpy as np
from scipy.io import savemat

__all__ = ['inertial', 'joints', 'write']


def inertial(person, action, count):
    """Samples of a trial ``(count, 6)``: person and action on a wave of 1 Hz."""
    wave = np.sin(2 * np.pi * np.arange(count) / 50)[:, None] * np.arange(1, 7)
    return wave + person + action / 32


def joints(person, count):
    """Joints of a trial ``(20, 3, count)`` in m: each at its place, all moving at a constant speed to the right."""
    places = np.random.default_rng(person).uniform(-1, 1, (20, 3, 1))
    return places + np.array([1, 0, 0])[:, None] * np.arange(count) / count


def write(root, people=(1, 2), actions=(1, 22), trials=(1,), count=160, frames=100):
    """A file of each sensor for every trial."""
    for folder in ('Inertial', 'Skeleton'):
        (root / folder).mkdir(parents=True, exist_ok=True)
    for person in people:
        for action in actions:
            for trial in trials:
                name = f'a{action}_s{person}_t{trial}'
                savemat(root / 'Inertial' / f'{name}_inertial.mat', dict(d_iner=inertial(person, action, count)))
                savemat(root / 'Skeleton' / f'{name}_skeleton.mat', dict(d_skel=joints(person, frames)))
    return root
