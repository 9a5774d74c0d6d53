"""How time grows with windows, channels, length, image size and teachers, and what memory a million windows take."""

from __future__ import annotations

import argparse
import resource
from pathlib import Path

import matplotlib
import numpy as np
from mmengine.config import Config
from mmengine.registry import init_default_scope
from steps import CONFIGS, stepper
from timing import take_turns

from mmkd_plugin.apis import load_config
from mmkd_plugin.functional import gramian_angular_field, signal_to_persistence_image, sublevel_persistence

matplotlib.use('Agg')
import matplotlib.pyplot as plt

PART = 1000  # series whose images are held at once
BUFFERS: dict[int, np.ndarray] = {}
FIGURE = Path(__file__).resolve().parents[1] / 'docs' / 'figures' / 'growth.png'


def signal(windows: int, channels: int = 6, length: int = 128) -> np.ndarray:
    """Random walks of unit variance, float32, made in parts."""
    rng, x = np.random.default_rng(0), np.empty((windows, channels, length), np.float32)
    for start in range(0, windows, 8192):
        part = x[start : start + 8192]
        part[:] = rng.normal(size=part.shape)
        np.cumsum(part, 2, out=part)
        part -= part.mean(2, keepdims=True)
        part /= part.std(2, keepdims=True)
    return x


def encode(x: np.ndarray, size: int, encoder) -> None:
    """Encode all series in parts, into one buffer that is used again."""
    series = x.reshape(-1, x.shape[-1])
    if size not in BUFFERS:
        BUFFERS[size] = np.empty((PART, size, size), np.float32)
    for start in range(0, len(series), PART):
        part = series[start : start + PART]
        encoder(part, BUFFERS[size][: len(part)])


def fields(x: np.ndarray, size: int = 32) -> None:
    encode(x, size, lambda part, out: gramian_angular_field(part, size, out=out))


def images(x: np.ndarray, size: int = 32) -> None:
    encode(x, size, lambda part, out: signal_to_persistence_image(part, size, (-4, 4), (0, 8), 0.25, out=out))


def with_teachers(number: int) -> Config:
    """Answers of so many teachers on the Gramian angular field, averaged."""
    cfg = load_config(CONFIGS / 'aver_kd.py')
    names = [f'gaf{i}' for i in range(number)]
    cfg.model.teachers = dict.fromkeys(names, cfg.model.teachers.gaf)
    cfg.model.transfers.aver.source = [f'{name}.logits' for name in names]
    return cfg


def exponent(sizes: list[int], seconds: list[float]) -> float:
    """Slope of a straight line through the logarithms."""
    return float(np.polyfit(np.log(sizes), np.log(seconds), 1)[0])


def curve(name: str, sizes: list[int], make, run, repeats: int) -> tuple[str, list[int], list[float]]:
    seconds = []
    for size in sizes:
        x = make(size)
        seconds.append(take_turns({'it': lambda x=x, size=size: run(x, size)}, repeats)['it'])
    slope = exponent(sizes, seconds)
    print(f'{name:34} exponent {slope:.3f}   {seconds[0]:.4f} s at {sizes[0]}, {seconds[-1]:.2f} s at {sizes[-1]}', flush=True)
    return name, sizes, seconds


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--largest', type=int, default=6, help='power of ten of the largest number of windows')
    args = parser.parse_args(arguments)
    init_default_scope('mmkd_plugin')
    windows = [10**power for power in range(3, args.largest + 1)]
    lengths = [64, 128, 256, 512, 1024, 2048]
    curves = [
        curve('fields over windows', windows, signal, lambda x, _: fields(x), 3),
        curve('persistence images over windows', windows, signal, lambda x, _: images(x), 3),
        curve('fields over channels', [1, 4, 16, 64], lambda c: signal(1000, c), lambda x, _: fields(x), 5),
        curve('persistence images over channels', [1, 4, 16, 64], lambda c: signal(1000, c), lambda x, _: images(x), 5),
        curve('persistence over length', lengths, lambda t: signal(500, 6, t)[:, 0], lambda x, _: sublevel_persistence(x), 5),
        curve('fields over image size', [16, 32, 64, 128], lambda _: signal(1000), lambda x, s: fields(x, s), 5),
        curve('training step over teachers', [1, 2, 4, 8], lambda t: stepper(with_teachers(t))[1], lambda step, _: step(), 9),
    ]
    size = windows[-1] * 6 * 128 * 4 / 2**30
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f'{windows[-1]:,} windows x 6 channels: the signal takes {size:.2f} GiB, the process at its largest {peak:.2f} GiB')
    _, axes = plt.subplots(figsize=(6, 4))
    for name, sizes, seconds in curves:
        axes.loglog(sizes, seconds, 'o-', markersize=3, label=f'{name} ({exponent(sizes, seconds):.2f})')
    axes.set_xlabel('windows, channels, samples, pixels or teachers')
    axes.set_ylabel('seconds')
    axes.legend(fontsize=7)
    plt.tight_layout()
    plt.savefig(FIGURE, dpi=120)
    print(f'drawn: {FIGURE}')


if __name__ == '__main__':
    main()
