"""A machine that has no room for another open file says nothing of what is in a file."""

import contextlib
import errno
import gzip
import resource

import numpy as np
import pandas as pd
import pytest
import torch

from mmkd_plugin.datasets.readers.columns import read_columns
from mmkd_plugin.datasets.readers.smartfallmm_rows import list_arrays
from mmkd_plugin.datasets.readers.text import read_text
from mmkd_plugin.fileio import load_checkpoint, load_npy, load_npz, newest_checkpoint, unseal

WRITERS = {
    'student.pth': lambda path: torch.save({'state_dict': {'x': torch.zeros(2)}}, path),
    'arrays.npz': lambda path: np.savez(path, x=np.zeros(2)),
    'array.npy': lambda path: np.save(path, np.zeros(2)),
    'table.csv.gz': lambda path: path.write_bytes(gzip.compress(b'x,y\n1,2\n')),
    'sealed.json': lambda path: path.write_text('{}'),
    'list.npz': lambda path: np.savez(path, x=np.zeros(2)),
    'table.parquet': lambda path: pd.DataFrame({'x': [1.0]}).to_parquet(path),
}
READERS = {
    'student.pth': load_checkpoint,
    'arrays.npz': load_npz,
    'array.npy': load_npy,
    'table.csv.gz': read_text,
    'sealed.json': unseal,
    'list.npz': list_arrays,
    'table.parquet': lambda path: read_columns(path, ['x'], []),
}


@contextlib.contextmanager
def no_more_files():
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.mark.parametrize('name', WRITERS)
def test_a_file_that_cannot_be_opened_is_not_damaged(name, tmp_path):
    path = tmp_path / name
    WRITERS[name](path)
    with contextlib.suppress(ValueError):  # modules that a reader imports are imported
        READERS[name](path)
    with no_more_files(), pytest.raises(OSError, match='Too many open files') as raised:
        READERS[name](path)
    assert raised.value.errno == errno.EMFILE


def test_a_checkpoint_that_cannot_be_opened_is_not_left_out(tmp_path):
    """Else a run went on from an older one, or anew."""
    torch.save({'state_dict': {'x': torch.zeros(2)}}, tmp_path / 'epoch_1.pth')
    (tmp_path / 'last_checkpoint').write_text(str(tmp_path / 'epoch_1.pth'))
    said = []
    assert newest_checkpoint(tmp_path, tmp_path, 'epoch_*.pth', said.append) is None
    assert 'this checkpoint is left out' in said[0]  # it has no optimiser
    with no_more_files(), pytest.raises(OSError, match='Too many open files'):
        newest_checkpoint(tmp_path, tmp_path, 'epoch_*.pth', said.append)
    assert len(said) == 2
