"""Fixtures that several rooms of the tests share."""

import functools
import gc
import itertools
import os
import re
import tarfile
import tempfile
from pathlib import Path

# One thread per process, which does not spin while it waits: the processes share the cores. The processes that tests start
# inherit it. It has to be set before torch is loaded, so nothing that loads torch is imported at the head of this file; besides,
# the process that only hands out the tests starts at once so.
os.environ.setdefault('OMP_NUM_THREADS', '1')
os.environ.setdefault('OMP_WAIT_POLICY', 'PASSIVE')
# Much here is equal to the bit, which is so on a CPU; tests/test_on_gpu.py is for a GPU, and says how it is run.
os.environ.setdefault('CUDA_VISIBLE_DEVICES', '')

import numpy as np
import pytest

TESTS = itertools.count()
# Values of published code and public recordings that are not part of this repository; users do not have them.
SHARED = Path(os.environ.get('MMKD_SHARED', Path(__file__).resolve().parents[2] / 'shared'))


def pytest_collection(session):
    """Let the garbage collector rest: what is imported and collected stays, and 4,000 rounds over it take 5 s."""
    gc.disable()


def pytest_collection_finish(session):
    """Leave what is imported by now out of the garbage collector's rounds, which a torch makes long."""
    gc.collect()
    gc.freeze()
    gc.enable()


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
    from mmengine.logging import MessageHub

    MessageHub.get_instance(f'test-{next(TESTS)}')


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    """A folder of its own for temporary files, so that those of other tests are not counted."""
    folder = tmp_path / 'temporary'
    folder.mkdir()
    monkeypatch.setattr(tempfile, 'tempdir', str(folder))
    return folder


@pytest.fixture(scope='session')
def shared_dir(tmp_path_factory):
    """A folder of this run of the tests that all its processes share; what is written there is written under a lock."""
    folder = tmp_path_factory.getbasetemp()
    return folder.parent if 'PYTEST_XDIST_WORKER' in os.environ else folder


@pytest.fixture(scope='session')
def teacher_dir(shared_dir):
    """Where all tests keep their teachers: each is trained once, by the package's own lock also over processes."""
    return shared_dir / 'teachers'


@pytest.fixture(scope='session')
def store_dir(shared_dir):
    """Where all tests keep converted recordings of :func:`recordings_of`."""
    return shared_dir / 'stores'


@pytest.fixture(scope='session')
def entropy_run(tmp_path_factory, teacher_dir):
    """Work directory of a run of one epoch with three teachers, which is left as it is."""
    from helpers import tiny_config

    from mmkd_plugin.apis import train

    folder = tmp_path_factory.mktemp('entropy') / 'run'
    train(tiny_config('entropy_kd.py', folder, teacher_dir))
    return folder


# Where the recordings of a format lie in its archive, for formats that can be shared.
ARCHIVES = {
    'HAPT': ('hapt', 'hapt/HAPT Data Set'),
    'NAB': ('nab', 'nab/NAB'),
    'WISDM2019': ('wisdm2019', 'wisdm2019/wisdm-dataset'),
}


def write_geneactiv(folder):
    from writers import geneactiv

    geneactiv.write(folder, range(101, 111), range(1, 15), each=1)


def write_uci_har(folder):
    from writers import uci_har

    uci_har.write(folder, each=6, apart=0.5)


def write_pamap2(folder):
    from writers import pamap2

    from mmkd_plugin.datasets import PAMAP2

    for subject in list(PAMAP2.known)[:5]:
        activities = [code for code in (1, 2, 3, 4, 5, 6, 7, 12, 13, 16, 17, 24) for _ in range(400)]
        pamap2.write(folder, activities, subject, shift=int(subject) / 7)  # nobody's windows are another's


def write_umafall(folder):
    from writers import umafall

    umafall.write(folder, [*range(1, 13), *range(14, 20)], seconds=10.0)  # those that the configs leave in


def write_wedafall(folder):
    from writers import wedafall

    wedafall.write(folder, range(1, 11), sensors=['accel', 'gyro'])


def write_geotec(folder):
    from writers import geotec

    geotec.write(folder, range(1, 9), devices=['sw'])


def write_smartfallmm(folder):
    from writers import smartfallmm

    smartfallmm.write(folder, [f'{group}/S{person:02d}' for group in ('young', 'old') for person in (21, 22, 23, 26, 47)])


def write_utd_mhad(folder):
    from writers import utd_mhad

    utd_mhad.write(folder, range(1, 5), (1, 2, 22), count=250)


# Other formats are written.
WRITERS = {
    **{'GENEActiv': write_geneactiv, 'PAMAP2': write_pamap2, 'UCIHAR': write_uci_har},
    **{'UMAFall': write_umafall, 'WEDAFall': write_wedafall, 'GeoTec': write_geotec},
    **{'SmartFallMM': write_smartfallmm, 'UTDMHAD': write_utd_mhad},
}


@pytest.fixture(scope='session')
def recordings_of(shared_dir):
    """Gives the folder of a format's recordings, unpacked or written once for all processes."""
    from filelock import FileLock

    def root(reader):
        folder = shared_dir / 'recordings' / reader
        name, inside = ARCHIVES.get(reader, (None, '.'))
        folder.parent.mkdir(exist_ok=True)
        with FileLock(f'{folder}.lock'):
            if not folder.is_dir():
                unfinished = folder.with_suffix('.part')
                unfinished.mkdir(parents=True)
                if reader in WRITERS:
                    WRITERS[reader](unfinished)
                else:
                    unpack(name, unfinished)
                unfinished.rename(folder)
        return folder / inside

    return functools.cache(root)


def unpack(name, folder):
    try:
        archive = shared_data(name)
    except pytest.skip.Exception:
        folder.rmdir()
        raise
    with tarfile.open(archive) as file:
        file.extractall(folder, filter='data')


def shared_data(name):
    """Return the archive of some recordings, or skip the test."""
    archive = SHARED / 'data' / f'{name}.tar.xz'
    if not archive.is_file():
        pytest.skip(f'recordings ({archive}) are not here; set MMKD_SHARED to the folder that holds data/')
    return archive


@pytest.fixture(scope='session')
def first_files(tmp_path_factory):
    """Gives a folder with the first files of an archive, which are there at once, while all of the archive take seconds."""

    def root(name, count):
        archive, folder = shared_data(name), tmp_path_factory.mktemp(name)
        with tarfile.open(archive) as file:
            file.extractall(folder, itertools.islice((member for member in file if member.isfile()), count), filter='data')
        return folder / name

    return functools.cache(root)


@pytest.fixture(scope='session')
def files_of():
    """Unpacks those files of an archive that fit a pattern, and gives the names of all up to one that fits another."""

    def some(name, pattern, folder, until='$^'):
        names = []
        with tarfile.open(shared_data(name), 'r|xz') as file:
            for member in itertools.takewhile(lambda member: not re.search(until, member.name), file):
                names.append(member.name)
                if re.search(pattern, member.name):
                    file.extract(member, folder, filter='data')
        return names

    return some
