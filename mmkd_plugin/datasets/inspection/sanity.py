"""Oddities of recordings: missing subjects, mixed units, constant channels, outliers, uneven spreads."""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from ..channels import GRAVITY, sensors_of
from ..names import find_alike, list_names, natural
from ..recordings import Moments, Recordings, merge_moments

__all__ = ['find_oddities', 'sample_subjects']

SAMPLED = 1_000_000  # samples of all subjects together: medians need no more
NEAR = 1.4  # times: how far the median norm of an acceleration is from gravity where people move
FASTEST = 35.0  # rad/s, which is 2,000 deg/s, where the gyroscopes of phones and watches end
DEGREES = (28.0, 115.0)  # times faster than others: the quotient of the units, 57, within a factor of 2
OUTLIER = 20.0  # robust standard deviations
SPREAD = 1_000.0
MAD = 1.4826  # standard deviation of a normal distribution over its median absolute deviation


def find_oddities(data: Recordings) -> list[str]:
    """Return a sentence for everything that looks wrong; none of it is an error."""
    subjects = sample_subjects(data)
    return [
        *_missing_subjects(list(subjects)),
        *_alike('subjects', subjects),
        *_alike('classes', data.classes),
        *_accelerations(data, subjects),
        *_rotations(data, subjects),
        *_constant(data),
        *_outliers(data, np.concatenate(list(subjects.values()))),
        *_spreads(data),
    ]


def sample_subjects(data: Recordings) -> dict[str, NDArray]:
    """Take samples of each subject, evenly out of its recordings, ``(n, C)``; subjects are in natural order."""
    signals: dict[str, list] = {}
    for recording in data.recordings:
        signals.setdefault(recording.subject, []).append(recording.signal)
    most = max(500, SAMPLED // len(signals))
    samples = {}
    for subject in sorted(signals, key=natural):
        every = -(-sum(map(len, signals[subject])) // most)
        samples[subject] = np.concatenate([signal[::every] for signal in signals[subject]])
    return samples


def _missing_subjects(subjects: list[str]) -> list[str]:
    """Name the numbers between the first and the last subject that do not occur, where most of them do."""
    parts = [re.fullmatch(r'(.*?)(\d{1,18})', subject) for subject in subjects]
    numbers: dict[str, set[int]] = {}
    for part in parts:
        if part:
            numbers.setdefault(part[1], set()).add(int(part[2]))
    sentences = []
    for stem, present in numbers.items():
        count = max(present) - min(present) + 1 - len(present)
        if 0 < count < len(present):  # counted first: ids of ten digits span a range that no memory holds
            absent = sorted(set(range(min(present), max(present) + 1)) - present)
            names = f'{stem}{min(present)} to {stem}{max(present)}'
            sentences.append(f'of subjects {names}, these are missing: {list_names([f"{stem}{n}" for n in absent])}')
    return sentences


def _alike(kind: str, names: Iterable[str]) -> list[str]:
    """Name subjects or classes that may be the same."""
    return [f'{kind} {", ".join(map(repr, group))} may be the same, written in different ways' for group in find_alike(names)]


def _accelerations(data: Recordings, subjects: dict[str, NDArray]) -> list[str]:
    """Compare median norms with gravity in both units: most of the time, nobody falls."""
    sentences: list[str] = []
    units: dict[str, list[str]] = {}
    for sensor, norms in _norms(data, subjects, 'acc').items():
        medians = {subject: float(np.median(norm)) for subject, norm in norms.items()}
        usual = float(np.median(list(medians.values())))
        unit = next((name for name, g in GRAVITY.items() if g / NEAR <= usual <= g * NEAR), None)
        if unit is None:
            sentences.append(f'{sensor}: the median norm is {usual:.3g}, near neither 1 (g) nor 9.81 (m/s²)')
            continue
        units.setdefault(unit, []).append(sensor)
        for name, g in GRAVITY.items():
            others = [s for s, m in medians.items() if name != unit and g / NEAR <= m <= g * NEAR]
            if others:
                sentences.append(
                    f'{sensor}: subject {list_names(others)} is in {name} (median norm {medians[others[0]]:.3g} for the '
                    f'first), others are in {unit} ({usual:.3g})'
                )
    if len(units) > 1:
        sentences.append(f'accelerations are in two units: {list_names(units["g"])} in g, {list_names(units["m/s²"])} in m/s²')
    return sentences


def _rotations(data: Recordings, subjects: dict[str, NDArray]) -> list[str]:
    """Compare the speed of subjects: radians and degrees differ by a factor of 57, people by less."""
    sentences = []
    for sensor, norms in _norms(data, subjects, 'gyr').items():
        fast = {subject: float(np.quantile(norm, 0.99)) for subject, norm in norms.items()}
        usual = float(np.median(list(fast.values())))
        if usual > FASTEST:
            sentences.append(f'{sensor}: a hundredth of the norms is above {usual:.3g}: deg/s, where rad/s is usual')
        least, most = DEGREES
        for compared, names in (
            ('above', [s for s, value in fast.items() if usual and least <= value / usual <= most]),
            ('below', [s for s, value in fast.items() if value and least <= usual / value <= most]),
        ):
            if names:
                sentences.append(
                    f'{sensor}: subject {list_names(names)} is far {compared} the others (99th percentile of the norm '
                    f'{fast[names[0]]:.3g} for the first, {usual:.3g} for most): deg/s beside rad/s?'
                )
    return sentences


def _norms(data: Recordings, subjects: dict[str, NDArray], kind: str) -> dict[str, dict[str, NDArray]]:
    """Return the norms of all sensors of a kind that have three axes, and gravity in them, by sensor and subject."""
    chosen = [s for s in sensors_of(data.channels) if s.has_axes and s.kind == kind and not s.without_gravity]
    return {
        sensor.name: {name: np.linalg.norm(samples[:, sensor.channels], axis=1) for name, samples in subjects.items()}
        for sensor in chosen
    }


def _constant(data: Recordings) -> list[str]:
    """Name channels with a single value, for all or for some subjects."""
    moments: dict[str, list] = {}
    for recording in data.recordings:
        moments.setdefault(recording.subject, []).extend(recording.summary.moments.values())
    totals = {subject: merge_moments(each) for subject, each in moments.items()}
    sentences = []
    for index, channel in enumerate(data.channels):
        names = [s for s in sorted(totals, key=natural) if totals[s].min[index] == totals[s].max[index]]
        values = [totals[s].min[index] for s in names]
        if len(names) == len(totals) and len(set(values)) == 1:
            sentences.append(f'{channel} is constant, {values[0]:.3g}')
        elif names:
            sentences.append(f'{channel} is constant for subject {list_names(names)}, {values[0]:.3g} for the first')
    return sentences


def _outliers(data: Recordings, samples: NDArray) -> list[str]:
    """Count samples far from the median, in robust standard deviations."""
    centre = np.median(samples, axis=0)
    spread = MAD * np.median(np.abs(samples - centre), axis=0)
    total = _total(data)
    distance = np.maximum(total.max - centre, centre - total.min)
    sentences = []
    for index, channel in enumerate(data.channels):
        if spread[index] == 0 and total.min[index] < total.max[index]:
            sentences.append(f'{channel}: half of its samples or more are {centre[index]:.3g}; outliers cannot be found')
        elif distance[index] > OUTLIER * spread[index]:
            outliers = {}
            for r in data.recordings:
                far = np.flatnonzero(np.abs(r.signal[:, index] - centre[index]) > OUTLIER * spread[index])
                if len(far):
                    outliers[r.name] = far
            name, count = next(iter(outliers)), sum(map(len, outliers.values()))
            sentences.append(
                f'{channel}: {count:,} sample(s) are more than {OUTLIER:g} robust standard deviations ({spread[index]:.3g}) '
                f'from the median {centre[index]:.3g}, by up to {distance[index]:.3g}; the first is sample {outliers[name][0]} '
                f"of recording '{name}'"
            )
    return sentences


def _spreads(data: Recordings) -> list[str]:
    """Compare the standard deviations of the channels."""
    total = _total(data)
    deviation = np.sqrt(total.squares / total.count)
    moving = np.flatnonzero(deviation > 0)
    if not len(moving) or deviation[moving].max() <= SPREAD * deviation[moving].min():
        return []
    least, most = moving[deviation[moving].argmin()], moving[deviation[moving].argmax()]
    return [
        f'standard deviations go from {deviation[least]:.3g} ({data.channels[least]}) to {deviation[most]:.3g} '
        f'({data.channels[most]}): more than {SPREAD:,.0f} times'
    ]


def _total(data: Recordings) -> Moments:
    return merge_moments(m for r in data.recordings for m in r.summary.moments.values())
