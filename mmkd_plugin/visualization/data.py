"""A plot of a data set: signals of every class, amplitudes, windows of each subject and class."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mmkd_plugin.datasets import Recording
from mmkd_plugin.datasets.channels import Sensor, sensors_of
from mmkd_plugin.datasets.inspection import Inspection, sample_subjects

from .figure import new_figure, save_figure, short

__all__ = ['draw_inspection']

Examples = dict[int, tuple[str, NDArray]]  # of each class by its label, a subject and a stretch (T, C)

SENSORS, CLASSES = 3, 14  # drawn at most; the rest is counted
TICKS = 45  # subjects named beside the heat map
NUMBERS = 300  # cells of the heat map, up to which each has its number


def draw_inspection(inspection: Inspection, path: str | Path) -> Path:
    """Plot a data set into a PNG or SVG file, which is whole or absent.

    Left, a column for each sensor: a window of every class, of the subject who has most classes (another is named where that
    one lacks a class), and below how often each amplitude occurs in all samples. Right: windows of each subject and class.

    Args:
        inspection (Inspection): Facts to plot, from :func:`~mmkd_plugin.datasets.inspection.inspect_recordings`.
        path (str | Path): File to write.

    Returns:
        Path: The file.

    Raises:
        ImportError: matplotlib is not installed.
    """
    # Sensors with three axes come before channels that stand alone.
    sensors = sorted(sensors_of(inspection.data.channels), key=lambda sensor: -len(sensor.channels))
    drawn, (usual, examples) = sensors[:SENSORS], _examples(inspection)
    rows, (subjects, classes) = len(examples), inspection.windows.shape
    height = max(3 + 0.8 * rows, 2.5 + 0.17 * min(subjects, TICKS))
    right = min(max(3.5, 0.42 * classes), 14)
    figure = new_figure(figsize=(3.6 * len(drawn) + right + 2, height), layout='constrained')
    signals, table = np.asarray(figure.subfigures(1, 2, width_ratios=[3.6 * len(drawn) + 1, right + 1]))
    ratios = [1] * rows + [max(2, 0.25 * rows)]
    axes = signals.subplots(rows + 1, len(drawn), squeeze=False, gridspec_kw=dict(height_ratios=ratios))
    for column, sensor in enumerate(drawn):
        _draw_signals(inspection, axes[:-1, column], sensor, examples, usual=usual if column == 0 else None)
        _draw_amplitudes(inspection, axes[-1, column], sensor)
    left_out = _left_out(sensors=len(sensors) - len(drawn), classes=len(inspection.data.classes) - rows)
    signals.suptitle(f'a window of each class, subject {usual}{left_out}', fontsize=9)
    _draw_windows(inspection, table)
    return save_figure(figure, path)


def _examples(inspection: Inspection) -> tuple[str, Examples]:
    """Return the subject with most classes and, of each class, the middle of the longest stretch."""
    usual = inspection.subjects[int((inspection.windows > 0).sum(1).argmax())]
    longest: dict[int, tuple[bool, int, str, NDArray]] = {}
    for recording in inspection.data.recordings:
        for label, stretch in _stretches(recording):
            rank = (recording.subject == usual, min(len(stretch), inspection.window))
            if label >= 0 and rank > longest.get(label, (False, 0))[:2]:
                longest[label] = (*rank, recording.subject, stretch)
    examples = {}
    for label in sorted(longest)[:CLASSES]:
        _, length, subject, stretch = longest[label]
        middle = (len(stretch) - length) // 2
        examples[label] = subject, stretch[middle : middle + length]
    return usual, examples


def _stretches(recording: Recording) -> list[tuple[int, NDArray]]:
    """Cut a recording into stretches of one label each."""
    if np.isscalar(recording.label):
        return [(int(np.asarray(recording.label)), recording.signal)]
    labels = np.asarray(recording.label)
    starts = np.concatenate([[0], np.flatnonzero(np.diff(labels)) + 1]).astype(int)
    return [(int(labels[start]), part) for start, part in zip(starts, np.split(recording.signal, starts[1:])) if len(part)]


def _left_out(**counts: int) -> str:
    """Name what has no room in the plot."""
    names = ' and '.join(f'{count} more {name}' for name, count in counts.items() if count)
    return f'\n(without {names})' if names else ''


def _draw_signals(inspection: Inspection, axes: NDArray, sensor: Sensor, examples: Examples, usual: str | None) -> None:
    channels = list(sensor.channels)
    drawn = np.concatenate([signal[:, channels] for _, signal in examples.values()])
    low, high = float(drawn.min()), float(drawn.max())
    room = 0.05 * (high - low) or 1.0
    unit, size = ('hours', 3600) if inspection.window / inspection.data.rate > 7200 else ('seconds', 1)
    for row, (ax, (label, (subject, signal))) in enumerate(zip(axes, examples.items())):
        ax.plot(np.arange(len(signal)) / inspection.data.rate / size, signal[:, channels], lw=0.8)
        ax.set_ylim(low - room, high + room)  # of all classes, so that rows can be compared
        ax.tick_params(labelsize=6, labelbottom=row == len(axes) - 1)
        if usual is not None:
            name = short(inspection.data.classes[label]) + f'\n({subject})' * (subject != usual)
            ax.set_ylabel(name, rotation=0, ha='right', va='center', fontsize=7)
    axes[0].set_title(sensor.name, fontsize=9)
    axes[-1].set_xlabel(unit, fontsize=7)


def _draw_amplitudes(inspection: Inspection, ax, sensor: Sensor) -> None:
    samples = np.concatenate(list(sample_subjects(inspection.data).values()))[:, sensor.channels]
    low, high = float(samples.min()), float(samples.max())
    edges = np.linspace(low, high if high > low else low + 1, 101)
    for column, channel in enumerate(sensor.channels):
        counts, _ = np.histogram(samples[:, column], edges)
        ax.stairs(counts / len(samples), edges, lw=0.9, label=inspection.data.channels[channel])
    ax.set_yscale('log')
    ax.legend(fontsize=6, loc='upper right')
    ax.tick_params(labelsize=6)
    ax.set_xlabel(f'{sensor.name}: amplitude, all subjects', fontsize=7)
    ax.set_ylabel('share of samples', fontsize=7)


def _draw_windows(inspection: Inspection, figure) -> None:
    ax = figure.subplots()
    subjects, classes = inspection.windows.shape
    shown = np.ma.masked_equal(inspection.windows, 0)
    image = ax.imshow(shown, aspect='auto', cmap='viridis', interpolation='nearest', vmin=0)
    ax.set_facecolor('#dddddd')
    every = -(-subjects // TICKS)
    ax.set_yticks(range(0, subjects, every), inspection.subjects[::every], fontsize=6)
    ax.set_xticks(range(classes), [short(name) for name in inspection.data.classes], rotation=90, fontsize=6)
    if inspection.windows.size <= NUMBERS:
        middle = inspection.windows.max() / 2
        for (row, column), count in np.ndenumerate(inspection.windows):
            ax.text(
                column, row, count, ha='center', va='center', fontsize=6, color='black' if not 0 < count <= middle else 'white'
            )
    ax.set_title(
        f'windows of each subject and class (none: grey)\n{inspection.window} samples, step {inspection.step}', fontsize=9
    )
    figure.colorbar(image, ax=ax, fraction=0.05).ax.tick_params(labelsize=6)
