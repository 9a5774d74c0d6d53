"""Budget card of an artefact: parameters, operations, size, memory of activations and latency, and the gates they must pass."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.flop_counter import FlopCounterMode

from mmkd_plugin.structures import check_number

from .formats import Run
from .student import Student

__all__ = ['Budget', 'Limits', 'Step', 'count_macs', 'measure_latency', 'peak_activations']

ROUNDS, SECONDS, WARM_UP = 200, 4.0, 5  # calls of each network that are timed, the most that they may take, and those before
KIB = 2**10


@dataclass(frozen=True)
class Step:
    """One operation of a graph, for :func:`peak_activations`.

    Attributes:
        inputs (tuple[str, ...]): Names of the activations that it reads.
        outputs (tuple[str, ...]): Names of those that it writes.
    """

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


@dataclass(frozen=True)
class Limits:
    """Largest values that pass; None is no limit.

    Attributes:
        params (int, optional): Parameters.
        ram (float, optional): Peak memory of activations, in KiB.
        latency (float, optional): 95th percentile of the latency, in milliseconds.
        drop (float): Loss of accuracy by int8, in points.

    Raises:
        ValueError: A limit is not above 0, or the drop is none.
    """

    params: int | None = None
    ram: float | None = None
    latency: float | None = None
    drop: float = 1.0

    def __post_init__(self) -> None:
        check_number('--max-drop', self.drop, high=100)
        for name, value in asdict(self).items():
            if value is not None and name != 'drop':
                check_number(f'--max-{name}', value, above=0)


@dataclass(frozen=True)
class Budget:
    """Costs of one artefact.

    Attributes:
        params (int): Parameters of the student.
        macs (int): Multiplications and additions of convolutions and matrix products for one window, the view being made.
        bytes (int): Size of the file.
        activations (int, optional): Largest number of bytes that the activations of one window take at once, see
            :func:`peak_activations`; None where the format does not show its graph.
        arena (int, optional): Bytes that TensorFlow Lite Micro needs for everything but the file; None for other formats.
        latency (Mapping[str, Mapping[str, float]]): ``p50`` and ``p95`` in milliseconds for one window on one thread of the
            CPU, of 'artefact', of 'pytorch' and of further networks by name, which took turns.
    """

    params: int
    macs: int
    bytes: int
    activations: int | None
    latency: Mapping[str, Mapping[str, float]]
    arena: int | None = None

    @property
    def ram(self) -> int | None:
        """Bytes of memory that ``--max-ram`` is held against, None where unknown."""
        return self.activations if self.arena is None else self.arena

    def to_dict(self) -> dict[str, Any]:
        """Return what the JSON file keeps."""
        return asdict(self)

    def to_text(self) -> str:
        """Return the card, a line for each cost."""
        memory = 'not known of this format' if self.ram is None else f'{self.ram / KIB:,.1f} KiB at most'
        times = {name: f'{values["p50"]:.2f} ms (p95 {values["p95"]:.2f})' for name, values in self.latency.items()}
        named = {{'artefact': '', 'pytorch': 'PyTorch'}.get(name, name): text for name, text in times.items()}
        rows = {
            'parameters': f'{self.params:,}',
            'MACs of a window': f'{self.macs:,}',
            'file': f'{self.bytes / KIB:,.1f} KiB',
            'activations' if self.arena is None else 'arena': memory,
            'latency': f'{", ".join(" ".join(pair).strip() for pair in named.items())}; one window, one CPU thread',
        }
        return '\n'.join(f'  {name:<18}{value}' for name, value in rows.items())

    def faults(self, limits: Limits) -> list[str]:
        """Return a sentence for every limit that is passed."""
        p95, ram = self.latency['artefact']['p95'], self.ram
        if limits.ram is not None and ram is None:
            return ['its memory is not known, which --max-ram is of', *self.faults(replace(limits, ram=None))]
        memory = (ram or 0) / KIB
        what = 'its activations take' if self.arena is None else 'its arena takes'
        checks = [
            (self.params, limits.params, f'it has {self.params:,} parameters', 'params'),
            (memory, limits.ram, f'{what} {memory:,.1f} KiB', 'ram'),
            (p95, limits.latency, f'one window in twenty takes {p95:.2f} ms or longer', 'latency'),
        ]
        return [
            f'{text}, more than --max-{name} {limit:,g}'
            for value, limit, text, name in checks
            if limit is not None and value > limit
        ]


def count_macs(student: Student) -> int:
    """Count the multiplications and additions of convolutions and matrix products for one window, its view being made."""
    image = student.encode(torch.zeros(1, *student.contract.shape))
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        student.network(image)
    return counter.get_total_flops() // 2


def measure_latency(
    runs: Mapping[str, Run], signal: NDArray, rounds: int = ROUNDS, seconds: float = SECONDS
) -> dict[str, dict[str, float]]:
    """Return median and 95th percentile of the latency of networks that take turns, on one thread.

    Args:
        runs (Mapping[str, Run]): Networks by name.
        signal (ndarray): One window, ``(1, C, T)``.
        rounds (int): Timed calls of each network.
        seconds (float): Time after which no further round begins.
    """
    times: dict[str, list[float]] = {name: [] for name in runs}
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        for run in list(runs.values()) * WARM_UP:
            run(signal)
        end = time.perf_counter() + seconds
        while len(next(iter(times.values()))) < rounds and (time.perf_counter() < end or not times[next(iter(times))]):
            for name, run in runs.items():
                start = time.perf_counter()
                run(signal)
                times[name].append(1000 * (time.perf_counter() - start))
    finally:
        torch.set_num_threads(threads)
    return {name: dict(zip(('p50', 'p95'), np.percentile(each, (50, 95)).tolist())) for name, each in times.items()}


def peak_activations(steps: Sequence[Step], sizes: Mapping[str, int], outputs: Iterable[str]) -> int:
    """Return the largest number of bytes that lie in memory at once when operations are done one after another.

    An activation lives from the operation that writes it to the last one that reads it, outputs of the graph to its end.
    Nothing is computed in place, and memory has no gaps; weights are not counted.

    Args:
        steps (Sequence[Step]): Operations in order.
        sizes (Mapping[str, int]): Bytes of every activation, inputs of the graph included.
        outputs (Iterable[str]): Outputs of the graph.
    """
    last = {name: index for index, step in enumerate(steps) for name in (*step.outputs, *step.inputs)}
    last.update(dict.fromkeys(outputs, len(steps)))
    written = {name for step in steps for name in step.outputs}
    alive = {name for name in last if name not in written and name in sizes}  # inputs of the graph
    peak = 0
    for index, step in enumerate(steps):
        alive |= set(step.outputs)
        peak = max(peak, sum(sizes[name] for name in sorted(alive)))
        alive = {name for name in alive if last[name] > index}
    return peak
