"""Fixtures that several rooms of the tests share."""

import itertools
import os
import tarfile
from pathlib import Path

import numpy as np
import pytest
from mmengine.logging import MessageHub
from writers import geneactiv, pamap2, uci_har

from mmkd_plugin.datasets import PAMAP2

TESTS = itertools.count()
# Values of published code and public recordings that are not part of this repository; users do not have them.
SHARED = Path(os.environ.get('MMKD_SHARED', Path(__file__).resolve().parents[2] / 'shared'))


@pytest.fixture
def golden():
    """Inputs, parameters, outputs and gradients of the published frequency-attention module."""
    path = SHARED / 'goldens' / 'fam_golden.npz'
    if not path.is_file():
        pytest.skip(f'the golden values {path} are not here; set MMKD_SHARED to the folder that holds goldens/')
    with np.load(path, allow_pickle=False) as file:
        return dict(file)


@pytest.fixture(autouse=True)
def outside_a_run():
    """The host's message hub is one for the whole process: without this, weights would follow the progress of an earlier test."""
    MessageHub.get_instance(f'test-{next(TESTS)}')


# Where the recordings of a format lie in its archive, for formats that can be shared.
ARCHIVES = {
    'HAPT': ('hapt', 'hapt/HAPT Data Set'),
    'NAB': ('nab', 'nab/NAB'),
    'WISDM2019': ('wisdm2019', 'wisdm2019/wisdm-dataset'),
}


def write_pamap2(folder):
    for subject in list(PAMAP2.known)[:5]:
        activities = [code for code in (1, 2, 3, 4, 5, 6, 7, 12, 13, 16, 17, 24) for _ in range(400)]
        pamap2.write(folder, activities, subject, shift=int(subject) / 7)  # nobody's windows are another's


# Other formats are written.
WRITERS = {
    'GENEActiv': lambda folder: geneactiv.write(folder, range(101, 111), range(1, 15), each=1),
    'PAMAP2': write_pamap2,
    'UCIHAR': lambda folder: uci_har.write(folder, each=6, apart=0.5),
}


@pytest.fixture(scope='session')
def stores(tmp_path_factory):
    """Folder of stores that tests share, so that recordings of one format are converted once."""
    return str(tmp_path_factory.getbasetemp() / 'stores')


@pytest.fixture(scope='session')
def recordings_of(tmp_path_factory):
    """Gives the folder of a format's recordings, unpacked or written once."""
    folders = {}

    def root(reader):
        if reader not in folders:
            folder = tmp_path_factory.mktemp(reader)
            if reader in WRITERS:
                WRITERS[reader](folder)
                folders[reader] = folder
                return folder
            name, inside = ARCHIVES[reader]
            archive = SHARED / 'data' / f'{name}.tar.xz'
            if not archive.is_file():
                pytest.skip(f'recordings of {reader} ({archive}) are not here; set MMKD_SHARED to the folder that holds data/')
            with tarfile.open(archive) as file:
                file.extractall(folder, filter='data')
            folders[reader] = folder / inside
        return folders[reader]

    return root
