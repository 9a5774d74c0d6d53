"""Drift: a signal held against the contract of the student that is to read it, in sentences for people."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from mmkd_plugin.datasets.channels import GRAVITY, KINDS, Sensor, sensors_of

from .contract import STATISTICS, Contract

__all__ = ['find_drift']

# Every threshold lies between what 888 recordings of 90 people, each held against the statistics of others, have shown (four
# public data sets of phones and watches) and what the fault does. docs/deploy.md has the table.
RATE = 0.1  # share of the rate: clocks of sensors differ by a few per cent, and readers let as much pass
MARGIN, FEW = 0.5, 0.01  # spans of the training range on either side, and the share of samples that may lie beyond: none did
LIGHT, HEAVY = 0.6, 4.0  # gravities: medians of the size of an acceleration were 0.74 to 2.5; another unit is 9.8 times away
LEVEL = 0.3  # gravities: medians of the mean acceleration of a window were at least 0.5; without gravity, it is near 0
STEADY = 0.5  # size of a window's mean over its RMS: medians were at least 0.42, without gravity at most 0.47
SIZE = 6.0  # times: RMS of a sensor over that of training were 0.24 to 4.2; units are 9.8, 57 or 1,000 apart
MOVING = 0.5  # spreads of training: so much another sensor moves while one that is six times too small should move as well
TURNED, OFTEN = 2.5, 0.1  # training deviations that a window's mean lies off, and the share of windows: see find_drift
STILL = 1.0  # seconds, and a window at least, that a channel of three axes has one value: 12 samples were the most
UNITS = {'g': 1.0, 'm/s²': 9.81, 'mg': 1000.0}  # one gravity
SPELLED = {'m/s^2': 'm/s²', 'm/s2': 'm/s²', 'm/s**2': 'm/s²', 'G': 'g'}


def find_drift(contract: Contract, signals: NDArray | Sequence[NDArray], rate: float | None = None) -> list[str]:
    """Say in sentences how a signal differs from all that a student has learned from; an empty list is a signal that fits.

    Gravity, and with it the unit and the axes of an acceleration, is looked at where the contract knows the unit, the names of
    the channels make a triple of axes, and the training data had gravity in them. A channel stands still where the sensor's
    axes do so for a window, or another channel for the whole signal. Axes are suspected where the means of more than a tenth
    of the windows lie further than 2.5 standard deviations of training from the mean of training: so they did for one of 90
    people, who lies as nobody else does, and for none of 530 recordings of watches and of phones in a pocket. What stays
    within, as y and z exchanged on a wrist that turns, is not seen.

    Args:
        contract (Contract): Of the student.
        signals (ndarray | Sequence[ndarray]): One recording ``(T, C)`` or several of one device, at the contract's rate, the
            channels in the contract's order.
        rate (float, optional): In Hz, as time stamps tell; None where there are none.

    Returns:
        list[str]: One sentence for each difference, the gravest first.
    """
    pieces = [np.asarray(signal) for signal in ([signals] if isinstance(signals, np.ndarray) else signals)]
    sentences, gaps = list(_rate(contract, rate)), list(_not_finite(contract, pieces))
    if gaps or not sum(map(len, pieces)):
        return sentences + gaps  # nothing can be measured
    view = _Measured(contract, pieces)
    stuck = dict(_stuck(view))
    odd: dict[Sensor, list[str]] = {}
    for sensor in sensors_of(contract.channels):
        if not stuck.keys() & set(sensor.channels):  # one sentence for one fault
            odd[sensor] = [*(_gravity(view, sensor) if _has_gravity(contract, sensor) else _size(view, sensor))]
            odd[sensor] = odd[sensor] or [*_range(view, sensor)]
    return [*sentences, *stuck.values(), *(sentence for each in odd.values() for sentence in each)]


class _Measured:
    """A signal, its windows' means and the statistics of training."""

    def __init__(self, contract: Contract, pieces: Sequence[NDArray]) -> None:
        self.contract = contract
        self.pieces = [piece.astype(np.float64) for piece in pieces]
        self.samples = np.concatenate(self.pieces)  # (T, C)
        whole = [piece[: len(piece) // contract.window * contract.window] for piece in self.pieces]
        cut = [piece.reshape(-1, contract.window, piece.shape[1]) for piece in whole]
        self.windows = np.concatenate(cut)  # (N, window, C)
        if not len(self.windows):
            self.windows = self.samples[None]
        self.mean, self.std, self.low, self.high = (np.array(contract.statistics[name]) for name in STATISTICS)

    def rms(self, channels: Sequence[int]) -> tuple[float, float]:
        """Return the RMS of a sensor's size, of this signal and of training."""
        chosen = list(channels)
        here = np.sqrt((self.samples[:, chosen] ** 2).sum(1).mean())
        return float(here), float(np.sqrt((self.mean[chosen] ** 2 + self.std[chosen] ** 2).sum()))

    def names(self, sensor: Sensor) -> str:
        """Return a sensor with its channels, for a sentence."""
        return ', '.join(self.contract.channels[index] for index in sensor.channels)


def _rate(contract: Contract, rate: float | None) -> Iterator[str]:
    if rate is not None and abs(rate / contract.rate - 1) > RATE:
        yield f'time stamps run at {rate:.4g} Hz, and the student has learned from {contract.rate:g} Hz'


def _not_finite(contract: Contract, pieces: Sequence[NDArray]) -> Iterator[str]:
    for index, channel in enumerate(contract.channels):
        wrong = np.concatenate([~np.isfinite(piece[:, index]) for piece in pieces])
        if wrong.any():
            first = int(wrong.argmax())
            yield (
                f'{channel}: {wrong.sum():,} of {len(wrong):,} samples are NaN or infinite, the first is sample {first}, at '
                f'{first / contract.rate:.2f} s'
            )


def _stuck(view: _Measured) -> Iterator[tuple[int, str]]:
    """Find channels of a sensor that keep one value for a window, and other channels that never leave it."""
    contract = view.contract
    least = max(contract.window, round(STILL * contract.rate))
    for sensor in sensors_of(contract.channels):
        for index in sensor.channels:
            runs = [_longest_run(piece[:, index]) for piece in view.pieces]
            begin, length = max(runs, key=lambda run: run[1])
            piece = view.pieces[[run[1] for run in runs].index(length)]
            limit = least if sensor.has_axes else max(least, len(view.samples))
            if view.std[index] > 0 and length >= limit:
                value = piece[begin, index]
                yield (
                    index,
                    f'{contract.channels[index]} stands still at {value:.4g} for {length / contract.rate:.1f} s: the channel '
                    f'is stuck or {"not connected" if not value else "its last value is repeated"}',
                )


def _longest_run(values: NDArray) -> tuple[int, int]:
    """Return begin and length of the longest stretch of equal values."""
    bounds = np.flatnonzero(np.diff(values, prepend=np.nan, append=np.nan) != 0)
    lengths = np.diff(bounds)
    if not len(lengths):
        return 0, 0
    longest = int(lengths.argmax())
    return int(bounds[longest]), int(lengths[longest])


def _unit(contract: Contract, sensor: Sensor) -> str | None:
    """Return the unit of a sensor's channels in the spelling of the tables here, None where it is unknown."""
    units = {contract.units[index] for index in sensor.channels} if contract.units else set()
    unit = units.pop() if len(units) == 1 else ''
    return SPELLED.get(unit, unit) or None


def _has_gravity(contract: Contract, sensor: Sensor) -> bool:
    """Return whether training has shown gravity: the mean square of an acceleration is then that of gravity, or more."""
    unit = _unit(contract, sensor)
    if sensor.kind != 'acc' or not sensor.has_axes or sensor.without_gravity or unit not in GRAVITY:
        return False
    squares = sum(contract.statistics[name][index] ** 2 for name in ('mean', 'std') for index in sensor.channels)
    return bool(np.sqrt(squares) > LIGHT * GRAVITY[unit])


def _gravity(view: _Measured, sensor: Sensor) -> Iterator[str]:
    """Look at size and direction of gravity: the unit, whether gravity is there, the axes."""
    unit = str(_unit(view.contract, sensor))
    axes = view.windows[:, :, list(sensor.channels)]  # (N, window, 3)
    size = float(np.median(np.linalg.norm(axes, axis=2)))
    level = np.linalg.norm(axes.mean(1), axis=1)  # (N, )
    steady = float(np.median(level / np.sqrt((axes**2).sum(2).mean(1)).clip(1e-12)))
    names, gravity = view.names(sensor), GRAVITY[unit]
    if not LIGHT <= size / gravity <= HEAVY:
        other = next((name for name, one in UNITS.items() if name != unit and LIGHT <= size / one <= HEAVY), None)
        if other and (size > gravity or steady >= STEADY):
            yield (
                f'{names}: the acceleration has a size of {size:.3g} (median), as in {other}, and the student has learned from '
                f'{unit}: multiply by {gravity / UNITS[other]:.4g}'
            )
            return
    weak = size < LIGHT * gravity
    if np.median(level) < LEVEL * gravity and not (weak and steady >= STEADY):
        yield (
            f'{names}: gravity is missing: its mean over a window is {np.median(level):.2g} {unit}, and with gravity, from '
            f'which the student has learned, about {gravity:g}; is this linear acceleration?'
        )
    elif weak or size > HEAVY * gravity:
        yield f'{names}: the acceleration has a size of {size:.3g} {unit} (median), where gravity alone is {gravity:g}'
    else:
        yield from _axes(view, sensor, axes.mean(1))


def _axes(view: _Measured, sensor: Sensor, means: NDArray) -> Iterator[str]:
    """Compare the mean accelerations of windows ``(N, 3)`` with training, as they are and with other axes."""
    chosen = list(sensor.channels)
    mean, std = view.mean[chosen], view.std[chosen].clip(1e-12)

    def away(order: Sequence[int], signs: Sequence[int]) -> NDArray:
        return np.abs((means[:, order] * signs - mean) / std).max(1)

    off = away((0, 1, 2), (1, 1, 1))
    if (off > TURNED).mean() <= OFTEN:
        return
    ways = list(itertools.product(itertools.permutations(range(3)), itertools.product((1, -1), repeat=3)))
    # The fewest changes first, so that of ways that fit alike the simplest is named.
    ways.sort(key=lambda way: sum(a != b for a, b in zip(way[0], range(3))) + way[1].count(-1))
    order, signs = min(
        ways, key=lambda way: (round(float((away(*way) > TURNED).mean()), 2), round(float(np.median(away(*way))), 1))
    )
    names = [view.contract.channels[index] for index in chosen]
    pairs = [(name, f'{"−" if sign < 0 else ""}{names[place]}') for name, place, sign in zip(names, order, signs)]
    nearest = ' and '.join(f'{new} for {name}' for name, new in pairs if name != new)
    vector = np.median(means[off > TURNED], axis=0)
    yield (
        f'{view.names(sensor)}: in {(off > TURNED).mean():.0%} of the windows gravity points where training hardly knows it '
        f'(there {_vector(mean)} ± {_vector(std)}, here {_vector(vector)}): the device is worn another way, or axes are '
        f'exchanged or mirrored{f"; {nearest} would be nearest to training" if nearest else ""}'
    )


def _vector(values: NDArray) -> str:
    return f'({", ".join(f"{value:.2g}" for value in values)})'


def _size(view: _Measured, sensor: Sensor) -> Iterator[str]:
    """Compare the size of a sensor's signal with training; a smaller one counts only while another sensor moves."""
    here, training = view.rms(sensor.channels)
    if not here or not training or 1 / SIZE < here / training < SIZE:
        return
    spread = view.samples.std(0) / np.where(view.std > 0, view.std, np.inf)
    others = [index for index in range(len(spread)) if index not in sensor.channels]
    if here > training or (others and spread[others].max() > MOVING):
        kind = KINDS.get(str(sensor.kind), 'signal')
        unit = _unit(view.contract, sensor)
        yield (
            f'{view.names(sensor)}: the {kind} has a size of {here:.3g} (RMS), and training had {training:.3g}'
            f'{f" {unit}" if unit else ""}: {max(here, training) / min(here, training):.3g} times '
            f'{"more" if here > training else "less"}, as in another unit'
        )


def _range(view: _Measured, sensor: Sensor) -> Iterator[str]:
    for index in sensor.channels:
        low, high = view.low[index], view.high[index]
        margin = MARGIN * (high - low)
        beyond = (view.samples[:, index] < low - margin) | (view.samples[:, index] > high + margin)
        if margin > 0 and beyond.mean() > FEW:
            values = view.samples[:, index]
            yield (
                f'{view.contract.channels[index]}: {beyond.mean():.0%} of the samples are far outside the range of training, '
                f'{low:.3g} to {high:.3g}; here it is {values.min():.3g} to {values.max():.3g}'
            )
