"""What looks wrong in recordings: units, channels that stand still, outliers, subjects and classes that lack something."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from ..channels import sensors_of
from ..protocols import natural
from ..recordings import Recordings, merge_moments

__all__ = ['find_oddities', 'sample_subjects']

SAMPLED = 1_000_000  # samples of all subjects together: medians need no more
GRAVITY = {'g': 1.0, 'm/s²': 9.81}
NEAR = 1.4  # times: how far the median norm of an acceleration is from gravity where people move
FASTEST = 35.0  # rad/s, which is 2,000 deg/s, where the gyroscopes of phones and watches end
DEGREES = (28.0, 115.0)  # times faster than others: the quotient of the units, 57, within a factor of 2
OUTLIER = 20.0  # robust standard deviations
SPREAD = 1_000.0
MAD = 1.4826  # standard deviation of a normal distribution over its median absolute deviation


def find_oddities(data: Recordings) -> list[str]:
    """Say what looks wrong, a sentence each; none of it is an error."""
    subjects = sample_subjects(data)
    return [
        *_missing_subjects(list(subjects)),
        *_accelerations(data, subjects),
        *_rotations(data, subjects),
        *_still(data),
        *_outliers(data, np.concatenate(list(subjects.values()))),
        *_spreads(data),
    ]


def sample_subjects(data: Recordings) -> dict[str, NDArray]:
    """Samples of each subject, evenly out of its recordings, ``(n, C)``; subjects in natural order."""
    signals: dict[str, list] = {}
    for recording in data.recordings:
        signals.setdefault(recording.subject, []).append(recording.signal)
    most = max(500, SAMPLED // len(signals))
    found = {}
    for subject in sorted(signals, key=natural):
        every = -(-sum(map(len, signals[subject])) // most)
        found[subject] = np.concatenate([signal[::every] for signal in signals[subject]])
    return found


def _missing_subjects(subjects: list[str]) -> list[str]:
    """Numbers that are left out, where most between the first and the last are there."""
    parts = [re.fullmatch(r'(.*?)(\d+)', subject) for subject in subjects]
    numbers: dict[str, list[int]] = {}
    for part in parts:
        if part:
            numbers.setdefault(part[1], []).append(int(part[2]))
    said = []
    for stem, there in numbers.items():
        absent = sorted(set(range(min(there), max(there) + 1)) - set(there))
        if absent and len(absent) < len(there):
            names = f'{stem}{min(there)} to {stem}{max(there)}'
            said.append(f'of subjects {names}, these are not there: {_some([f"{stem}{n}" for n in absent])}')
    return said


def _accelerations(data: Recordings, subjects: dict[str, NDArray]) -> list[str]:
    """Where nobody falls, the median norm is about that of gravity, in one unit or the other."""
    said, units = [], {}
    for sensor, norms in _norms(data, subjects, 'acc').items():
        medians = {subject: float(np.median(norm)) for subject, norm in norms.items()}
        usual = float(np.median(list(medians.values())))
        unit = next((name for name, g in GRAVITY.items() if g / NEAR <= usual <= g * NEAR), None)
        if unit is None:
            said.append(f'{sensor}: the median norm is {usual:.3g}, near neither 1 (g) nor 9.81 (m/s²)')
            continue
        units.setdefault(unit, []).append(sensor)
        for name, g in GRAVITY.items():
            others = [s for s, m in medians.items() if name != unit and g / NEAR <= m <= g * NEAR]
            if others:
                said.append(
                    f'{sensor}: subject {_some(others)} is in {name} (median norm {medians[others[0]]:.3g} for the '
                    f'first), others are in {unit} ({usual:.3g})'
                )
    if len(units) > 1:
        said.append(f'accelerations are in two units: {_some(units["g"])} in g, {_some(units["m/s²"])} in m/s²')
    return said


def _rotations(data: Recordings, subjects: dict[str, NDArray]) -> list[str]:
    """Radians and degrees differ by 57, which is more than people do."""
    said = []
    for sensor, norms in _norms(data, subjects, 'gyr').items():
        fast = {subject: float(np.quantile(norm, 0.99)) for subject, norm in norms.items()}
        usual = float(np.median(list(fast.values())))
        if usual > FASTEST:
            said.append(f'{sensor}: a hundredth of the norms is above {usual:.3g}: deg/s, where rad/s is usual')
        least, most = DEGREES
        for compared, names in (
            ('above', [s for s, value in fast.items() if least <= value / usual <= most]),
            ('below', [s for s, value in fast.items() if value and least <= usual / value <= most]),
        ):
            if names:
                said.append(
                    f'{sensor}: subject {_some(names)} is far {compared} the others (99th percentile of the norm '
                    f'{fast[names[0]]:.3g} for the first, {usual:.3g} for most): deg/s beside rad/s?'
                )
    return said


def _norms(data: Recordings, subjects: dict[str, NDArray], kind: str) -> dict[str, dict[str, NDArray]]:
    """Return the norms of all sensors of a kind that have three axes, and gravity in them, by sensor and subject."""
    chosen = [s for s in sensors_of(data.channels) if s.has_axes and s.kind == kind and not s.without_gravity]
    return {
        sensor.name: {name: np.linalg.norm(samples[:, sensor.channels], axis=1) for name, samples in subjects.items()}
        for sensor in chosen
    }


def _still(data: Recordings) -> list[str]:
    """Channels with one value, for all or for some subjects."""
    moments: dict[str, list] = {}
    for recording in data.recordings:
        moments.setdefault(recording.subject, []).extend(recording.summary.moments.values())
    whole = {subject: merge_moments(each) for subject, each in moments.items()}
    still = {subject: m.min == m.max for subject, m in whole.items()}
    said = []
    for place, channel in enumerate(data.channels):
        names = [subject for subject in sorted(still, key=natural) if still[subject][place]]
        value = f'{whole[names[0]].min[place]:.3g}' if names else ''
        if len(names) == len(still) and len({whole[s].min[place] for s in names}) == 1:
            said.append(f'{channel} stands still at {value}')
        elif names:
            said.append(f'{channel} stands still for subject {_some(names)}, at {value} for the first')
    return said


def _outliers(data: Recordings, samples: NDArray) -> list[str]:
    centre = np.median(samples, axis=0)
    spread = MAD * np.median(np.abs(samples - centre), axis=0)
    whole = merge_moments(m for r in data.recordings for m in r.summary.moments.values())
    far = np.maximum(whole.max - centre, centre - whole.min)
    said = []
    for place, channel in enumerate(data.channels):
        if spread[place] == 0 and whole.min[place] < whole.max[place]:
            said.append(f'{channel}: half of its samples or more are {centre[place]:.3g}; outliers cannot be told')
        elif far[place] > OUTLIER * spread[place]:
            found = {}
            for r in data.recordings:
                places = np.flatnonzero(np.abs(r.signal[:, place] - centre[place]) > OUTLIER * spread[place])
                if len(places):
                    found[r.name] = places
            name, count = next(iter(found)), sum(map(len, found.values()))
            said.append(
                f'{channel}: {count:,} sample(s) are more than {OUTLIER:g} robust standard deviations ({spread[place]:.3g}) '
                f'from the median {centre[place]:.3g}, by up to {far[place]:.3g}; the first is sample {found[name][0]} of '
                f"recording '{name}'"
            )
    return said


def _spreads(data: Recordings) -> list[str]:
    whole = merge_moments(m for r in data.recordings for m in r.summary.moments.values())
    deviation = np.sqrt(whole.squares / whole.count)
    moving = np.flatnonzero(deviation > 0)
    if not len(moving) or deviation[moving].max() <= SPREAD * deviation[moving].min():
        return []
    least, most = moving[deviation[moving].argmin()], moving[deviation[moving].argmax()]
    return [
        f'standard deviations go from {deviation[least]:.3g} ({data.channels[least]}) to {deviation[most]:.3g} '
        f'({data.channels[most]}): more than {SPREAD:,.0f} times'
    ]


def _some(names: list[str], most: int = 8) -> str:
    return ', '.join(names[:most]) + (f' and {len(names) - most} more' if len(names) > most else '')
