"""Small whole files of the kinds that the package reads, and how each is read."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import helpers
import numpy as np
import torch

from mmkd_plugin import datasets, fileio
from mmkd_plugin.datasets.store import convert, open_store, store_faults
from mmkd_plugin.deploy import Contract, load_artifact, load_student
from mmkd_plugin.deploy.inputs import read_recordings
from mmkd_plugin.experiments import append_record, read_records
from mmkd_plugin.experiments.logs import read_log

from . import logs, python2, records, tables, ucr, wisdm2019

__all__ = [
    'CONTRACT',
    'copy_basic_motions',
    'copy_run',
    'open_study',
    'parse_log',
    'read_artifact',
    'read_cache',
    'read_checkpoint',
    'read_journal',
    'read_report',
    'read_result',
    'read_signals',
    'read_store',
    'resume',
    'write_arrays',
    'write_artifact',
    'write_cache',
    'write_hashes',
    'write_journal',
    'write_log',
    'write_outputs',
    'write_parquet',
    'write_pickle',
    'write_records',
    'write_seglearn',
    'write_store',
    'write_student',
    'write_tables',
    'write_ucr_rows',
    'write_wisdm',
]

CONTRACT = Contract(
    classes=('walk', 'rest'),
    channels=('acc_x', 'acc_y'),
    rate=50.0,
    window=20,
    hop=10,
    normalizer=({'type': 'NormalizeSignal', 'method': 'zscore'},),
    statistics={name: (value, value) for name, value in (('mean', 0.0), ('std', 1.0), ('min', -3.0), ('max', 3.0))},
    view={},
    subjects=('anna',),
)


def write_tables(folder: Path) -> None:
    for person in ('anna', 'ben'):
        tables.write(folder, tables.rows_of(person, 30), f'{person}.csv')


def write_parquet(folder: Path) -> None:
    import pandas as pd

    write_tables(folder)
    for path in folder.glob('*.csv'):
        pd.read_csv(path).to_parquet(path.with_suffix('.parquet'))
        path.unlink()
    (folder / 'recordings.yml').write_text(tables.LAYOUT + "files: '*.parquet'\n")


def write_arrays(folder: Path) -> None:
    signals = [np.random.default_rng(i).normal(size=(12, 2)) for i in range(3)]
    marks = [np.repeat([0, 1], 6), np.repeat([1, 0], 6), np.zeros(12, int)]
    datasets.save_recordings(folder / 'r.npz', signals, marks, ['a', 'b', 'c'], ('x', 'y'), ('u', 'v'), 10.0)


def write_ucr_rows(folder: Path) -> None:
    ucr.write_tsv(folder, 'train', ucr.numbers(4, 1)[:, 0], [1, 2, 1, 2])
    ucr.write_tsv(folder, 'test', ucr.numbers(3, 1, seed=1)[:, 0], [2, 1, 2])


def copy_basic_motions(folder: Path) -> None:
    for path in datasets.BasicMotions().files():
        lines = path.read_text().split('\n')
        first = next(i for i, line in enumerate(lines) if line.startswith("'"))
        (folder / path.name).write_text('\n'.join(lines[: first + 2]) + '\n')


def write_seglearn(folder: Path) -> None:
    kind = datasets.SeglearnWatch
    data = dict(X=[np.ones((5, 6)), np.zeros((4, 6))], y=np.array([0, 6]), subject=np.array([1, 2]), side=np.array([0, 1]))
    data |= dict(X_labels=list(kind.channels), y_labels=list(kind.classes))
    np.save(folder / 'watch_dataset.npy', np.array(data, dtype=object), allow_pickle=True)


def write_wisdm(folder: Path) -> None:
    wisdm2019.write(folder, subjects=(1600,), seconds=3.0)


def write_store(folder: Path) -> None:
    write_arrays(folder)
    convert(datasets.ArrayRecordings(str(folder / 'r.npz')), folder / 'stores')
    (folder / 'r.npz').unlink()


def read_store(folder: Path) -> Any:
    """Open a store as a data set does: where a fault is seen, the part is read again and nothing is opened."""
    (store,) = (path for path in (folder / 'stores').iterdir() if path.is_dir())
    faults = store_faults(store)
    if faults:
        raise ValueError('; '.join(faults))
    return open_store(store)


def write_hashes(folder: Path) -> None:
    """Write what :func:`~mmkd_plugin.fileio.save_hashes` does, which keeps no hash of a file that has just been written."""
    (folder / 'sources.json').write_bytes(fileio.seal({f'/{name}': [1, 2, 3, 4, '0' * 64] for name in 'ab'}))


def write_records(folder: Path) -> None:
    for method in ('supervised/student', 'kd'):
        append_record(records.record(method, dict(a=15, b=12)), folder / 'runs.jsonl')


def read_report(folder: Path) -> Any:
    """Read records and report on them, as ``mmkd report`` does; a line that is left out is said, and no error."""
    from mmkd_plugin.experiments.report import build_report

    found = read_records(folder / 'runs.jsonl')
    return (found, build_report(found).answer) if found else found


def write_journal(folder: Path) -> None:
    study = open_study(folder)
    for value in (0.5, 0.7):
        study.end(study.ask(), {1: value}, value)
    study.ask()


def open_study(folder: Path) -> Any:
    from mmkd_plugin.experiments.space import Domain
    from mmkd_plugin.experiments.study import Study, open_journal

    return Study(open_journal(folder / 'journal.log'), 'kd', {'lr': Domain(low=0.0, high=1.0)})


def read_journal(folder: Path) -> Any:
    return [(trial.number, trial.params, str(trial.state)) for trial in open_study(folder).trials]


def write_outputs(folder: Path) -> None:
    names = [f'a:{i}' for i in range(6)]
    np.savez(folder / 'o.npz', logits=np.eye(6, 3, dtype=np.float32), window_ids=names, classes=['u', 'v', 'w'])


def write_pickle(folder: Path) -> None:
    pair = [np.arange(60.0).reshape(20, 3), np.repeat([0, 1], 10)]
    (folder / 'p.data').write_bytes(python2.dump([pair, pair]))


def write_log(folder: Path) -> None:
    (folder / 'run.log').write_text(logs.published_log([50.0, 60.5, 61.25]))


def parse_log(folder: Path) -> Any:
    return read_log(folder / 'run.log', logs.PATTERNS, 'percent', dict(method='kd', data='d'))


def write_student(folder: Path) -> None:
    path = helpers.write_student(folder / 'student_best.pth', CONTRACT)
    signal = torch.randn(2, *CONTRACT.shape, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        golden = {'signal': signal, 'logits': load_student(path)(signal)}
    torch.save({**fileio.load_checkpoint(path), 'golden': golden}, path)


def write_artifact(folder: Path) -> None:
    from mmkd_plugin.apis.export import export_checkpoint

    write_student(folder)
    export_checkpoint(folder / 'student_best.pth', folder, 'torchscript')
    (folder / 'student_best.pth').unlink()


def read_artifact(folder: Path) -> Any:
    (path,) = (path for path in folder.iterdir() if path.suffix not in ('.json', '.npz'))
    return load_artifact(path).facts


def read_signals(folder: Path) -> Any:
    return list(read_recordings(str(folder), CONTRACT))


def copy_run(*patterns: str) -> Callable[[Path, Path], None]:
    def write(folder: Path, run: Path) -> None:
        for path in (path for pattern in patterns for path in sorted(run.glob(pattern))):
            (folder / path.relative_to(run)).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, folder / path.relative_to(run))

    return write


def read_checkpoint(folder: Path) -> Any:
    path = next(folder.glob('epoch_*.pth'))
    checkpoint = fileio.load_checkpoint(path)
    fileio.check_resumable(checkpoint, path)
    return checkpoint


def read_result(folder: Path) -> Any:
    """Read the result of a run, as runs that learn from its network do."""
    from mmkd_plugin.apis.results import result_faults

    faults = result_faults(folder)
    if faults:
        raise ValueError('; '.join(faults))
    return fileio.find_network(fileio.read_result(folder))


def resume(folder: Path) -> Any:
    return fileio.newest_checkpoint(folder, folder, 'epoch_*.pth', lambda line: None)


def read_cache(folder: Path) -> Any:
    """Hold kept outputs of a teacher against their manifest."""
    from mmkd_plugin.models.distillers.teacher_cache import TeacherCache

    faults = TeacherCache(folder / 'sig-0', ['logits'], 3).faults(6)
    if faults:
        raise ValueError('; '.join(faults))
    return np.load(folder / 'sig-0' / 'logits.npy')


def write_cache(folder: Path) -> None:
    from mmkd_plugin.models.distillers.teacher_cache import TeacherCache
    from mmkd_plugin.structures import Taps

    logits = torch.eye(6, 3)
    TeacherCache(folder / 'sig-0', ['logits'], 3).build(iter([Taps(stages=(), embedding=logits, logits=logits)]), 6)
