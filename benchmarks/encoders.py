"""Encoders against the libraries that people use: microseconds per series, and how many times as fast."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor

import gudhi
import gudhi.representations
import numpy as np
import ripser
import torch
from gudhi.sklearn.cubical_persistence import CubicalPersistence
from numba import njit
from persim import PersistenceImager
from pyts.image import GramianAngularField
from timing import take_turns

from mmkd_plugin.functional import gramian_angular_field, signal_to_persistence_image, sublevel_persistence

SIZE, LENGTH, WINDOWS, CHANNELS = 64, 128, 64, 6
PEERS = 24  # series that the slow libraries draw per round
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


def gramian() -> None:
    x = np.random.default_rng(0).normal(size=(WINDOWS, CHANNELS, LENGTH)).astype(np.float32)
    flat, peer = x.reshape(-1, LENGTH).astype(np.float64), GramianAngularField(SIZE)
    out = np.empty((WINDOWS, CHANNELS, SIZE, SIZE), np.float32)
    times = take_turns(
        {
            'pyts': lambda: [peer.fit_transform(flat) for _ in range(AGAIN)],
            'fill': lambda: [out.fill(1.0) for _ in range(AGAIN)],
            'into out=': lambda: [gramian_angular_field(x, SIZE, out=out) for _ in range(AGAIN)],
            'fresh': lambda: [gramian_angular_field(x, SIZE) for _ in range(AGAIN)],
        }
    )
    per = 1e6 / (WINDOWS * CHANNELS * AGAIN)
    print(f'Gramian field {SIZE}x{SIZE}, T={LENGTH}, {WINDOWS} x {CHANNELS} series: pyts {per * times["pyts"]:.2f} us')
    for name in ('into out=', 'fresh'):
        print(
            f'  {name:10} {per * times[name]:6.2f} us   x{times["pyts"] / times[name]:.1f} pyts   '
            f'{100 * times["fill"] / times[name]:.0f} % of the bandwidth of a fill'
        )


def persistence(sigma: float, length: int) -> None:
    pixel = 8 / SIZE
    x = np.cumsum(np.random.default_rng(0).normal(size=(WINDOWS * CHANNELS, length)), 1)
    x = ((x - x.mean(1, keepdims=True)) / x.std(1, keepdims=True)).astype(np.float32)
    some, diagrams = x[:PEERS], sublevel_persistence(x[:PEERS])
    variance = (sigma * pixel) ** 2
    imager = PersistenceImager((-4, 4), (0, 8), pixel, kernel_params={'sigma': [[variance, 0], [0, variance]]})
    image = gudhi.representations.PersistenceImage(
        bandwidth=sigma * pixel, resolution=[SIZE, SIZE], im_range=[-4, 4, 0, 8], weight=lambda pair: pair[1]
    ).fit(diagrams)
    cubical = CubicalPersistence(homology_dimensions=0, n_jobs=1)
    cells = [row[:, None] for row in some.astype(np.float64)]
    out = np.empty((len(x), SIZE, SIZE), np.float32)
    times = take_turns(
        {
            'ripser + persim': lambda: [imager.transform(sublevel_ripser(row)) for row in some],
            'persim alone': lambda: imager.transform(diagrams),
            'GUDHI': lambda: image.transform([d[np.isfinite(d[:, 1])] for d in cubical.fit_transform(cells)]),
            'ours': lambda: [
                signal_to_persistence_image(x, SIZE, (-4, 4), (0, 8), sigma * pixel, out=out) for _ in range(AGAIN)
            ],
        },
        repeats=5,
    )
    ours = 1e6 * times.pop('ours') / len(x) / AGAIN
    print(f'persistence image {SIZE}x{SIZE}, sigma {sigma:g} pixels, T={length}: {ours:.2f} us from the signal')
    for name, value in times.items():
        print(f'  {name:16} {1e6 * value / PEERS:8.1f} us   x{1e6 * value / PEERS / ours:.0f}')


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
    gramian()
    for sigma, length in ((2.0, 128), (0.5, 100), (2.0, 500)):
        persistence(sigma, length)
    threads()


if __name__ == '__main__':
    main()
