"""A picture of a data set: signals of every class, amplitudes, windows of each subject and class."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mmkd_plugin.datasets import Recording
from mmkd_plugin.datasets.channels import sensors_of
from mmkd_plugin.datasets.inspection import Inspection, sample_subjects
from mmkd_plugin.fileio import write_atomically

__all__ = ['draw_inspection']

SENSORS, CLASSES, LINES = 3, 14, 6  # drawn at most; the rest is named
TICKS = 45  # subjects named beside the heat map
NUMBERS = 300  # cells of the heat map, up to which each has its number


def draw_inspection(found: Inspection, path: str | Path) -> Path:
    """Draw what was seen into a PNG, which is whole or absent.

    Left, a column for each sensor: a window of every class, of the subject who has most classes (another is named where that
    one lacks a class), and below how often each amplitude occurs in all samples. Right: windows of each subject and class.

    Raises:
        ImportError: matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure  # not pyplot, which looks for a screen
    except ImportError as error:
        raise ImportError("a picture needs matplotlib, which is not installed. Run: pip install 'mmkd_plugin[plot]'") from error
    sensors = sorted(sensors_of(found.data.channels).items(), key=lambda sensor: -len(sensor[1]))  # three axes before one
    sensors = dict(sensors[:SENSORS])
    subject, examples = _examples(found)
    rows, subjects, classes = len(examples), *found.windows.shape
    height = max(3 + 0.8 * rows, 2.5 + 0.17 * min(subjects, TICKS))
    right = min(max(3.5, 0.42 * classes), 14)
    figure = Figure(figsize=(3.6 * len(sensors) + right + 2, height), layout='constrained')
    signals, table = figure.subfigures(1, 2, width_ratios=[3.6 * len(sensors) + 1, right + 1])
    axes = signals.subplots(
        rows + 1, len(sensors), squeeze=False, gridspec_kw=dict(height_ratios=[1] * rows + [max(2, 0.25 * rows)])
    )
    for column, (sensor, places) in enumerate(sensors.items()):
        _draw_signals(found, axes[:-1, column], sensor, places[:LINES], examples, usual=subject if column == 0 else None)
        _draw_amplitudes(found, axes[-1, column], sensor, places[:LINES])
    signals.suptitle(f'a window of each class, subject {subject}{_left_out(found, sensors, examples)}', fontsize=9)
    _draw_windows(found, table)
    buffer = io.BytesIO()
    figure.savefig(buffer, format='png', dpi=110)
    write_atomically(buffer.getvalue(), path)
    return Path(path)


def _examples(found: Inspection) -> tuple[str, dict[int, tuple[str, NDArray]]]:
    """The subject with most classes; of each class, a subject and the middle of the longest stretch, ``(T, C)``."""
    usual = found.subjects[int((found.windows > 0).sum(1).argmax())]
    longest: dict[int, tuple[bool, int, str, NDArray]] = {}
    for recording in found.data.recordings:
        for label, stretch in _stretches(recording):
            rank = (recording.subject == usual, min(len(stretch), found.window))
            if label >= 0 and rank > longest.get(label, (False, 0))[:2]:
                longest[label] = (*rank, recording.subject, stretch)
    kept = {}
    for label in sorted(longest)[:CLASSES]:
        _, length, subject, stretch = longest[label]
        middle = (len(stretch) - length) // 2
        kept[label] = subject, stretch[middle : middle + length]
    return usual, kept


def _stretches(recording: Recording) -> list[tuple[int, NDArray]]:
    """Parts of a recording with one label each."""
    if np.isscalar(recording.label):
        return [(int(recording.label), recording.signal)]
    labels = np.asarray(recording.label)
    starts = np.concatenate([[0], np.flatnonzero(np.diff(labels)) + 1]).astype(int)
    return [(int(labels[start]), part) for start, part in zip(starts, np.split(recording.signal, starts[1:])) if len(part)]


def _left_out(found: Inspection, sensors: dict, examples: dict) -> str:
    """What there was no room for."""
    left = {
        'sensors': len(sensors_of(found.data.channels)) - len(sensors),
        'classes': len(found.data.classes) - len(examples),
    }
    said = ' and '.join(f'{count} more {name}' for name, count in left.items() if count)
    return f'\n(without {said})' if said else ''


def _draw_signals(found: Inspection, axes: NDArray, sensor: str, places: list[int], examples: dict, usual: str | None) -> None:
    drawn = np.concatenate([signal[:, places] for _, signal in examples.values()])
    low, high = float(drawn.min()), float(drawn.max())
    room = 0.05 * (high - low) or 1.0
    unit, size = ('hours', 3600) if found.window / found.data.rate > 7200 else ('seconds', 1)
    for row, (ax, (label, (subject, signal))) in enumerate(zip(axes, examples.items())):
        ax.plot(np.arange(len(signal)) / found.data.rate / size, signal[:, places], lw=0.8)
        ax.set_ylim(low - room, high + room)  # of all classes, so that rows can be compared
        ax.tick_params(labelsize=6, labelbottom=row == len(axes) - 1)
        if usual is not None:
            name = _short(found.data.classes[label]) + f'\n({subject})' * (subject != usual)
            ax.set_ylabel(name, rotation=0, ha='right', va='center', fontsize=7)
    axes[0].set_title(sensor, fontsize=9)
    axes[-1].set_xlabel(unit, fontsize=7)


def _draw_amplitudes(found: Inspection, ax, sensor: str, places: list[int]) -> None:
    samples = np.concatenate(list(sample_subjects(found.data).values()))[:, places]
    low, high = float(samples.min()), float(samples.max())
    edges = np.linspace(low, high if high > low else low + 1, 101)
    for column, place in enumerate(places):
        counts, _ = np.histogram(samples[:, column], edges)
        ax.stairs(counts / len(samples), edges, lw=0.9, label=found.data.channels[place])
    ax.set_yscale('log')
    ax.legend(fontsize=6, loc='upper right')
    ax.tick_params(labelsize=6)
    ax.set_xlabel(f'{sensor}: amplitude, all subjects', fontsize=7)
    ax.set_ylabel('share of samples', fontsize=7)


def _draw_windows(found: Inspection, figure) -> None:
    ax = figure.subplots()
    subjects, classes = found.windows.shape
    shown = np.ma.masked_equal(found.windows, 0)
    image = ax.imshow(shown, aspect='auto', cmap='viridis', interpolation='nearest', vmin=0)
    ax.set_facecolor('#dddddd')
    every = -(-subjects // TICKS)
    ax.set_yticks(range(0, subjects, every), found.subjects[::every], fontsize=6)
    ax.set_xticks(range(classes), [_short(name) for name in found.data.classes], rotation=90, fontsize=6)
    if found.windows.size <= NUMBERS:
        middle = found.windows.max() / 2
        for (row, column), count in np.ndenumerate(found.windows):
            ax.text(
                column, row, count, ha='center', va='center', fontsize=6, color='black' if not 0 < count <= middle else 'white'
            )
    ax.set_title(f'windows of each subject and class (none: grey)\n{found.window} samples, step {found.step}', fontsize=9)
    figure.colorbar(image, ax=ax, fraction=0.05).ax.tick_params(labelsize=6)


def _short(name: str) -> str:
    return name if len(name) <= 24 else f'{name[:23]}…'
