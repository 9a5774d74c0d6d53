"""Budget cards of the students that were exported beside their checkpoints."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from mmkd_plugin.fileio import unseal

from ...cells import Cell
from ...tables import Column, Table, Value

__all__ = ['artifact_table']

KIB = 2**10


def artifact_table(cells: Sequence[Cell]) -> Table:
    """Return what every artefact in the folder of a run costs; what cannot be read is said below.

    Args:
        cells (Sequence[Cell]): From :func:`~mmkd_plugin.experiments.cells.cells_of`.
    """
    columns = [Column(name) for name in ('data', 'network', 'fold', 'seed', 'file', 'format', 'precision')]
    columns += [Column('parameters', 0), Column('MACs', 0), Column('file, KiB', 1), Column('activations or arena, KiB', 1)]
    columns += [Column('latency, ms', 2), Column('95th percentile, ms', 2), Column("PyTorch's, ms", 2)]
    columns += [Column('points that int8 costs', 2)]
    rows: list[tuple[Value, ...]] = []
    notes = [
        'memory is the arena of TensorFlow Lite Micro for tflite, for others that of the graph; one window, one CPU thread'
    ]
    for cell in cells:
        if cell.role != 'student':
            continue
        for (fold, seed), record in sorted(cell.records.items(), key=str):
            for path in _artifacts(record['work_dir']):
                try:
                    values = _card(unseal(path))
                except (OSError, ValueError, KeyError, TypeError) as error:
                    notes.append(f'{path.name} of {cell.name} is left out: {error}')
                    continue
                rows.append((cell.data, cell.name, 'none' if fold is None else str(fold), str(seed), path.stem, *values))
    return Table('artifacts', 'Exported students', tuple(columns), tuple(rows), tuple(notes))


def _artifacts(work_dir: str | None) -> Iterator[Path]:
    """Yield the JSON files of the artefacts in a folder: golden vectors lie beside each."""
    if work_dir is not None:
        for path in sorted(Path(work_dir).glob('*.json')):
            if path.with_name(f'{path.stem}_golden.npz').is_file():
                yield path


def _card(facts: Mapping[str, Any]) -> tuple[Value, ...]:
    budget, accuracy = facts['budget'], facts.get('accuracy')
    memory = budget['activations'] if budget.get('arena') is None else budget['arena']
    latency = budget['latency']
    return (
        facts['format'],
        facts['precision'],
        budget['params'],
        budget['macs'],
        budget['bytes'] / KIB,
        None if memory is None else memory / KIB,
        latency['artefact']['p50'],
        latency['artefact']['p95'],
        latency['pytorch']['p50'],
        None if accuracy is None else accuracy['drop'],
    )
