"""Encoders against the libraries that people use: microseconds per series, and how many times as fast.

Both sides have one thread, the same memory (see ``MEMORY``), the same dtype, and one round to warm up.
"""

from __future__ import annotations

import math
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import gudhi
import gudhi.representations
import numpy as np
import pywt
import ripser
import scipy.signal
import torch
from gudhi.sklearn.cubical_persistence import CubicalPersistence
from numba import njit
from persim import PersistenceImager
from pyts.image import GramianAngularField, MarkovTransitionField, RecurrencePlot
from timing import take_turns

from mmkd_plugin.functional import (
    gramian_angular_field,
    markov_transition_field,
    recurrence_plot,
    scalogram,
    signal_to_persistence_image,
    spectrogram,
    sublevel_persistence,
)

SIZE, LENGTH, WINDOWS, CHANNELS = 64, 128, 64, 6
SEGMENT, HOP = 62, 4  # of spectrograms
PEERS = 24  # series that the slow libraries draw per round
# What glibc does with freed memory: keeps all of it for the next array, or gives every array back to the system.
MEMORY = {
    'reused': dict(MALLOC_MMAP_MAX_='0', MALLOC_TRIM_THRESHOLD_=str(2**40)),
    'fresh': dict(MALLOC_MMAP_THRESHOLD_=str(2**16)),
}
AGAIN = 10  # calls in a row of what takes microseconds, so that it is timed at its own pace and not while it warms up


def sublevel_ripser(series: np.ndarray) -> np.ndarray:
    """H0 of a path by ripser: its sparse distance matrix, as in ripser's own example."""
    from scipy import sparse

    n = len(series)
    i, j = np.arange(n - 1), np.arange(1, n)
    rows, columns = np.concatenate([i, np.arange(n)]), np.concatenate([j, np.arange(n)])
    values = np.concatenate([np.maximum(series[:-1], series[1:]), series])
    distances = sparse.coo_matrix((values, (rows, columns)), (n, n)).tocsr()
    pairs = ripser.ripser(distances, maxdim=0, distance_matrix=True)['dgms'][0]
    return pairs[np.isfinite(pairs[:, 1])]


def gramian(memory: str) -> None:
    """Fields in memory that both sides use again, or that both sides take fresh from the system in every call."""
    x = np.random.default_rng(0).normal(size=(WINDOWS * CHANNELS, LENGTH))
    peer, runs = GramianAngularField(SIZE), {}
    for dtype in (np.float64, np.float32):
        series, name = x.astype(dtype), np.dtype(dtype).name
        runs[f'pyts, {name}'] = repeated(lambda series=series: peer.fit_transform(series))
        runs[f'ours, {name}'] = repeated(lambda series=series: gramian_angular_field(series, SIZE))
        if memory == 'reused':
            out = np.empty((len(x), SIZE, SIZE), dtype)
            runs[f'ours into out=, {name}'] = repeated(
                lambda series=series, out=out: gramian_angular_field(series, SIZE, out=out)
            )
            runs[f'fill, {name}'] = repeated(lambda out=out: out.fill(1.0))
    times, per = take_turns(runs), 1e6 / (len(x) * AGAIN)
    print(f'Gramian field {SIZE}x{SIZE}, T={LENGTH}, {len(x)} series, memory {memory}:')
    for name, value in times.items():
        peers = times[f'pyts, {name.rpartition(" ")[2]}']
        print(f'  {name:24} {per * value:6.2f} us   x{peers / value:.1f} pyts', flush=True)


def repeated(encode):
    return lambda: [encode() for _ in range(AGAIN)]


def persistence(sigma: float, length: int) -> None:
    pixel = 8 / SIZE
    x = np.cumsum(np.random.default_rng(0).normal(size=(WINDOWS * CHANNELS, length)), 1)
    x = (x - x.mean(1, keepdims=True)) / x.std(1, keepdims=True)
    some, diagrams = x[:PEERS], sublevel_persistence(x[:PEERS])
    variance = (sigma * pixel) ** 2
    imager = PersistenceImager((-4, 4), (0, 8), pixel, kernel_params={'sigma': [[variance, 0], [0, variance]]})
    image = gudhi.representations.PersistenceImage(
        bandwidth=sigma * pixel, resolution=[SIZE, SIZE], im_range=[-4, 4, 0, 8], weight=lambda pair: pair[1]
    ).fit(diagrams)
    cubical = CubicalPersistence(homology_dimensions=0, n_jobs=1)
    cells = [row[:, None] for row in some]

    def ours(dtype: type):
        series, out = x.astype(dtype), np.empty((len(x), SIZE, SIZE), dtype)
        return repeated(lambda: signal_to_persistence_image(series, SIZE, (-4, 4), (0, 8), sigma * pixel, out=out))

    times = take_turns(
        {
            'ripser + persim': lambda: [imager.transform(sublevel_ripser(row)) for row in some],
            'persim alone': lambda: imager.transform(diagrams),
            'GUDHI': lambda: image.transform([d[np.isfinite(d[:, 1])] for d in cubical.fit_transform(cells)]),
            'ours': ours(np.float64),
            'ours, float32': ours(np.float32),
        },
        repeats=5,
    )
    double, single = (1e6 * times.pop(name) / len(x) / AGAIN for name in ('ours', 'ours, float32'))
    print(f'persistence image {SIZE}x{SIZE}, sigma {sigma:g} pixels, T={length}, from the signal, memory reused:')
    print(f'  ours {double:.2f} us (float32: {single:.2f} us)')
    for name, value in times.items():
        print(f'  {name:16} {1e6 * value / PEERS:8.1f} us   x{1e6 * value / PEERS / double:.0f}', flush=True)


def torch_stft(series: torch.Tensor) -> torch.Tensor:
    window = torch.hann_window(SEGMENT, dtype=series.dtype)
    return torch.stft(series, SEGMENT, HOP, window=window, return_complex=True).abs() / window.sum()


def scipy_stft(series: np.ndarray) -> np.ndarray:
    *_, values = scipy.signal.stft(series, 1.0, 'hann', SEGMENT, SEGMENT - HOP, boundary='even', padded=False)
    return np.abs(values)


def other_images() -> None:
    """The remaining views, of tensors of either precision; libraries compute in float64, but for torch and PyWavelets."""
    x = np.random.default_rng(0).normal(size=(WINDOWS * CHANNELS, LENGTH))
    short, some = np.ascontiguousarray(x[:, :SIZE]), x[:PEERS]  # pyts has a pixel for every state
    scales = np.geomspace(2, LENGTH / 2, 32)

    for dtype in (np.float64, np.float32):
        tensor, states, few = (torch.from_numpy(array.astype(dtype)) for array in (x, short, some))
        peers = {
            f'Markov field {SIZE}x{SIZE}, pyts': (lambda: MarkovTransitionField(SIZE).transform(x), len(x)),
            f'recurrence plot {SIZE}x{SIZE}, pyts': (lambda: RecurrencePlot().transform(short), len(x)),
            "threshold='point', pyts": (lambda: RecurrencePlot(threshold='point').transform(short), len(x)),
            'spectrogram 32x33, torch.stft': (lambda tensor=tensor: torch_stft(tensor), len(x)),
            'spectrogram 32x33, scipy': (lambda dtype=dtype: scipy_stft(x.astype(dtype)), len(x)),
            'scalogram 32x128, pywt conv': (lambda few=few: np.abs(pywt.cwt(few.numpy(), scales, 'cmor1.5-1.0')[0]), PEERS),
            'scalogram 32x128, pywt fft': (
                lambda few=few: np.abs(pywt.cwt(few.numpy(), scales, 'cmor1.5-1.0', method='fft')[0]),
                PEERS,
            ),
        }
        ours = {
            'Markov field': lambda tensor=tensor: markov_transition_field(tensor, SIZE),
            'recurrence plot': lambda states=states: recurrence_plot(states),
            "threshold='point'": lambda states=states: recurrence_plot(states, threshold='point'),
            'spectrogram': lambda tensor=tensor: spectrogram(tensor, SEGMENT, HOP),
            'scalogram': lambda tensor=tensor: scalogram(tensor, scales),
        }
        times = take_turns({**{name: run for name, (run, _) in peers.items()}, **ours}, repeats=5)
        print(f'other views, T={LENGTH}, {len(x)} series, {np.dtype(dtype).name}, memory reused:')
        for name, (_, number) in peers.items():
            own = next(times[kind] for kind in ours if name.startswith(kind)) / len(x)
            peer = times[name] / number
            print(f'  {name:32} {1e6 * peer:8.1f} us, ours {1e6 * own:6.1f} us   x{peer / own:.1f}', flush=True)


@njit(nogil=True)
def arithmetic(steps: int) -> float:
    """Work that needs nothing but a core."""
    total = 0.0
    for i in range(steps):
        total += math.sin(0.001 * i)
    return total


def threads() -> None:
    """Two threads over one: persistence images, and arithmetic, which tells how free the second core is."""
    x = np.random.default_rng(0).normal(size=(1024, CHANNELS, LENGTH)).astype(np.float32)
    out = np.empty((*x.shape[:2], SIZE, SIZE), np.float32)
    before = torch.get_num_threads()

    def images(number: int):
        def encode():
            torch.set_num_threads(number)
            signal_to_persistence_image(x, SIZE, (-4, 4), (0, 8), 0.25, out=out)

        return encode

    def work(number: int):
        return lambda: list(pools[number].map(arithmetic, [3_000_000] * 2))

    pools = {number: ThreadPoolExecutor(number) for number in (1, 2)}
    tasks = dict(images=images, arithmetic=work)
    times = take_turns({(what, n): run(n) for n in pools for what, run in tasks.items()}, repeats=7)
    torch.set_num_threads(before)
    ratios = {what: times[what, 1] / times[what, 2] for what in tasks}
    print(f'two threads over one: persistence images x{ratios["images"]:.2f}, plain arithmetic x{ratios["arithmetic"]:.2f}')


def main(arguments: list[str] | None = None) -> None:
    if not arguments:  # how memory is kept can be set at the start of a process alone
        for memory, settings in MEMORY.items():
            subprocess.run([sys.executable, __file__, memory], check=True, env={**os.environ, **settings})
        return
    (memory,) = arguments
    torch.set_num_threads(1)
    gramian(memory)
    if memory == 'reused':
        other_images()
        for sigma, length in ((2.0, 128), (0.5, 100), (2.0, 500)):
            persistence(sigma, length)
        threads()


if __name__ == '__main__':
    main(sys.argv[1:])
