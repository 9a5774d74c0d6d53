"""The file of recorded values: how it is written, and how values of another stack are held against it."""

from __future__ import annotations

import importlib.metadata
import json
import platform
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

import torch

from mmkd_plugin.fileio import write_atomically

from .methods import STEPS, losses
from .parts import missing_parts, part_values

__all__ = ['FILE', 'collect', 'compare', 'current_stack', 'read', 'write']

FILE = Path(__file__).parent / 'values.json'
PACKAGES = ('torch', 'numpy', 'numba', 'scipy', 'mmengine', 'mmcv', 'mmpretrain')
# How far values may be apart, as a share of the greatest number that is kept beside a number. One thread or two, convolutions of
# oneDNN or torch's own, AVX512 or SSE (as another host has it) moved 2e-16 and 9e-7 at most; a distance in float32, 1e-8 and more.
LIMIT, LIMITS = 1e-10, {'float32': 1e-5, 'complex64': 1e-5}
# How far a loss may be, as a share of it: before a step is made, and after the first, ten times as far after fifty steps. A rounding may
# turn a gradient, as where a ReLU is at 0, and training carries it on. The same changes moved losses by 1e-6 before the first step, by
# 6e-5 in the first 12 steps, and by 6e-4 at the end.
UNTRAINED, TRAINED = 1e-5, 5e-4
SMALLEST = 0.01  # of all terms together, by which a smaller term is measured
DIGITS = 13  # that are kept of a number in double precision


def step_limit(step: int) -> float:
    """Return how far a loss may be from the recorded one, as a share of it, at a step from 0."""
    return TRAINED * 10 ** (step / STEPS) if step else UNTRAINED


def current_stack() -> dict[str, str]:
    """Return what values may depend on: versions and the machine."""
    stack = {'python': platform.python_version(), 'system': platform.system(), 'machine': platform.machine()}
    stack['instructions'] = torch.backends.cpu.get_cpu_capability()
    for name in PACKAGES:
        for distribution in (name, f'onedl-{name}', f'{name}-lite'):
            try:
                stack[name] = importlib.metadata.version(distribution)
                break
            except importlib.metadata.PackageNotFoundError:
                continue
    return stack


def collect(methods: Iterable[str], steps: int = STEPS) -> dict[str, list]:
    """Return the values of all parts, and the losses of methods, by name.

    Raises:
        ValueError: A part has no entry in the tables of :mod:`.parts`.
    """
    missing = missing_parts()
    if missing:
        raise ValueError(f'nothing in tests/recorded/parts.py calls {", ".join(missing)}')
    values = dict(part_values())
    with tempfile.TemporaryDirectory() as folder:
        values.update({f'methods/{name}': losses(name, Path(folder), steps) for name in methods})
    return values


def write(values: Mapping[str, list], partly: bool = False) -> None:
    """Write the file: the stack, and a line for each name. What has not moved stays as it is, so that a diff shows what has.

    Args:
        values (Mapping): From :func:`collect`.
        partly (bool): Whether methods that are not there stay.
    """
    kept = read()['values'] if FILE.exists() else {}
    written = {name: digests for name, digests in kept.items() if partly and name.startswith('methods/')}
    for name, digests in values.items():
        same = name in kept and not _moved(digests, kept[name])
        written[name] = kept[name] if same else [_rounded(digest) for digest in digests]
    body = ',\n    '.join(f'{json.dumps(name)}: {json.dumps(written[name])}' for name in sorted(written))
    text = f'{{\n  "stack": {json.dumps(current_stack())},\n  "values": {{\n    {body}\n  }}\n}}\n'
    write_atomically(text.encode(), FILE)


def read() -> dict:
    """Return the stack and the values of the file."""
    return json.loads(FILE.read_text(encoding='utf-8'))


def compare(values: Mapping[str, list], recorded: Mapping, partly: bool = False) -> list[str]:
    """Return a sentence for every value that has moved, and one for what of the stack is another.

    Args:
        values (Mapping): From :func:`collect`; of losses the first may be there alone.
        recorded (Mapping): From :func:`read`.
        partly (bool): Whether values may be missing.
    """
    kept = recorded['values']
    faults = [f'{name} is not in the file' for name in sorted(values.keys() - kept.keys())]
    faults += [] if partly else [f'{name} is in the file alone' for name in sorted(kept.keys() - values.keys())]
    for name in sorted(values.keys() & kept.keys()):
        faults += [f'{name}: {sentence}' for sentence in _moved(values[name], kept[name])]
    return [*faults, _stack_sentence(recorded['stack'])] if faults else []


def _moved(digests: list, kept: list) -> list[str]:
    """Return what of one name's values has moved: of each digest the number that has moved most, of losses the first."""
    if len(digests) != len(kept):
        return [f'there are {len(digests)} digests, {len(kept)} recorded']
    sentences = []
    for index, ((kind, *numbers), (kept_kind, *expected)) in enumerate(zip(digests, kept)):
        steps = kind.startswith('loss')
        if kind != kept_kind or len(numbers) > len(expected) or (not steps and len(numbers) < len(expected)):
            sentences.append(f'digest {index} is of {len(numbers)} numbers of {kind}, recorded {len(expected)} of {kept_kind}')
        elif steps:
            totals = [SMALLEST * sum(values) for values in zip(*(values for _, *values in kept))]
            scales = [max(abs(value), total) for value, total in zip(expected, totals)]
            limits = [step_limit(step) for step in range(len(numbers))]
            far = [
                step for step in range(len(numbers)) if not abs(numbers[step] - expected[step]) <= limits[step] * scales[step]
            ]
            for step in far[:1]:
                move = abs(numbers[step] - expected[step]) / scales[step]
                sentences.append(_sentence(f'{kind} at step {step}', numbers[step], expected[step], move, limits[step]))
        else:
            scale, limit = max(map(abs, expected), default=0) or 1, LIMITS.get(kind, LIMIT)
            moves = [abs(value - other) / scale for value, other in zip(numbers, expected)]
            far = sorted((k for k, move in enumerate(moves) if not move <= limit), key=lambda k: -moves[k])
            for k in far[:1]:
                which = f'number {k} of digest {index}'
                sentences.append(_sentence(which, numbers[k], expected[k], moves[k], limit))
    return sentences


def _sentence(which: str, value: float, expected: float, move: float, limit: float) -> str:
    return f'{which} is {value:.13g}, recorded {expected:.13g}: {move:.1e} apart, {limit:.0e} allowed'


def _stack_sentence(recorded: Mapping[str, str]) -> str:
    current = current_stack()
    names = [name for name in sorted({*current, *recorded}) if current.get(name) != recorded.get(name)]
    other = [f'{name} {current.get(name, "is not there")} (recorded {recorded.get(name, "without")})' for name in names]
    return f'the stack is another: {", ".join(other)}' if other else 'the stack is the one of the file: the code has changed'


def _rounded(digest: list) -> list:
    kind, *numbers = digest
    digits = 7 if kind.startswith('loss') else 8 if kind in LIMITS else DIGITS
    return [kind, *(float(f'{x:.{digits}g}') for x in numbers)]
