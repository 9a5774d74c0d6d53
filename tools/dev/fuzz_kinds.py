"""Kinds of files that the package reads: how small ones are written, and which public function reads them."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

sys.path.append(str(Path(__file__).resolve().parents[2] / 'tests'))

from writers import every_kind as files
from writers import geneactiv, geotec, hapt, nab, pamap2, smartfallmm, uci_har, ucr, umafall, utd_mhad, wedafall

from mmkd_plugin import datasets, fileio
from mmkd_plugin.deploy import load_student

__all__ = ['GROUPS', 'KINDS', 'Kind', 'digest']


@dataclass(frozen=True)
class Kind:
    """One kind of file.

    Attributes:
        group (str): Of kinds that are asked for together.
        write (Callable): Writes small files into a folder; of a kind that a run leaves, copies them from the run's folder.
        read (Callable): Reads the folder, and returns what it has read.
        files (str): Pattern of the files that are changed.
        of_run (bool): Whether the files are those of a run.
    """

    group: str
    write: Callable[..., object]
    read: Callable[[Path], Any]
    files: str = '**/*'
    of_run: bool = False


def reader(kind: str, write: Callable[[Path], object], **options: Any) -> Kind:
    def read(folder: Path) -> Any:
        return getattr(datasets, kind)(str(folder), **options).read_all()

    return Kind('readers', write, read)


KINDS: dict[str, Kind] = {
    'arrays': Kind('readers', files.write_arrays, lambda folder: datasets.ArrayRecordings(str(folder / 'r.npz')).read_all()),
    'basic_motions': reader('BasicMotions', files.copy_basic_motions),
    'geneactiv': reader('GENEActiv', lambda folder: geneactiv.write(folder, (9,), (13, 2), each=1)),
    'geotec': reader('GeoTec', lambda folder: geotec.write(folder, (1,), seconds=2.0, each=0.5)),
    'hapt': reader('HAPT', hapt.write),
    'nab': reader('NAB', lambda folder: nab.write(folder, np.arange(60) % 7, [(20, 25)]), category='kind'),
    'pamap2': reader('PAMAP2', lambda folder: pamap2.write(folder, [1] * 60 + [2] * 60)),
    'smartfallmm': reader('SmartFallMM', lambda folder: smartfallmm.write(folder, ('young/S29',), (1,), seconds=4.0)),
    'seglearn': reader('SeglearnWatch', files.write_seglearn),
    'tables': reader('Tables', files.write_tables),
    'parquet': reader('Tables', files.write_parquet),
    'uci_har': reader('UCIHAR', uci_har.write),
    'ucr_ts': reader('UCRArchive', ucr.write, name='Toy'),
    'ucr_tsv': reader('UCRArchive', files.write_ucr_rows, name='Toy'),
    'umafall': reader('UMAFall', lambda folder: umafall.write(folder, (1,), ('Walking',))),
    'utd_mhad': reader('UTDMHAD', lambda folder: utd_mhad.write(folder, (1,), (1,))),
    'wedafall': reader('WEDAFall', lambda folder: wedafall.write(folder, (1,), ('F01',))),
    'wisdm2019': reader('WISDM2019', files.write_wisdm),
    'inputs': Kind('readers', files.write_tables, files.read_signals),
    'pickles': Kind('readers', files.write_pickle, lambda folder: fileio.read_pickle(folder / 'p.data')),
    'logs': Kind('records', files.write_log, files.parse_log),
    'stores': Kind('records', files.write_store, files.read_store, 'stores/*/*'),
    'hashes': Kind('records', files.write_hashes, lambda folder: fileio.load_hashes(folder / 'sources.json'), '*.json'),
    'caches': Kind('records', files.write_cache, files.read_cache),
    'outputs': Kind('records', files.write_outputs, lambda folder: fileio.read_outputs(folder / 'o.npz')),
    'reports': Kind('records', files.write_records, files.read_report),
    'journals': Kind('records', files.write_journal, files.read_journal),
    'results': Kind(
        'records',
        files.copy_run('result.json', 'student_*.pth', 'predictions.npz'),
        files.read_result,
        '*.json',
        True,
    ),
    'predictions': Kind('records', files.copy_run('predictions.npz'), fileio.read_predictions, '*.npz', True),
    'curves': Kind('records', files.copy_run('*/vis_data/scalars.json'), fileio.read_curves, '**/*.json', True),
    'students': Kind('contracts', files.write_student, lambda folder: load_student(folder / 'student_best.pth').contract),
    'artefacts': Kind('contracts', files.write_artifact, files.read_artifact),
    'checkpoints': Kind('checkpoints', files.copy_run('epoch_*.pth'), files.read_checkpoint, '*.pth', True),
    'resumed runs': Kind('checkpoints', files.copy_run('epoch_*.pth', 'last_checkpoint'), files.resume, '*', True),
}
GROUPS = sorted({kind.group for kind in KINDS.values()})


def digest(value: Any, folder: Path = Path('/')) -> str:
    """Return a hash of whatever a reader gives, by which two results are told apart; the folder's name does not count."""
    sha = hashlib.sha256()
    stack = [value]
    while stack:
        part = stack.pop()
        if isinstance(part, torch.Tensor):
            part = part.detach().cpu().numpy()
        if isinstance(part, np.ndarray):
            sha.update(repr((part.shape, str(part.dtype))).encode() + part.tobytes())
        elif isinstance(part, dict):
            stack += [item for pair in sorted(part.items(), key=lambda pair: str(pair[0])) for item in pair]
        elif isinstance(part, (list, tuple)):
            sha.update(str(len(part)).encode())
            stack += part
        elif isinstance(part, (str, Path)):
            sha.update(str(part).replace(str(folder), '').encode(errors='surrogatepass'))  # file names may be no UTF-8
        elif callable(part) or not hasattr(part, '__dict__'):
            sha.update(getattr(part, '__name__', repr(part)).encode())
        else:
            stack.append(vars(part))
    return sha.hexdigest()
