"""Damaged, foreign and overgrown files end in one sentence with the name of the file, and take no memory."""

import contextlib
import io
import random
import zipfile

import numpy as np
import pytest

from mmkd_plugin.fileio import load_npz


@pytest.fixture
def file(tmp_path):
    path = tmp_path / 'a.npz'
    np.savez(path, x=np.arange(6.0).reshape(2, 3), name=np.array(['ann', 'bob']), none=np.empty(0), one=np.array(1))
    return path


def test_arrays_as_numpy_loads_them(file):
    with np.load(file) as arrays:
        expected = dict(arrays)
    loaded = load_npz(file)
    assert loaded.keys() == expected.keys()
    assert all(np.array_equal(loaded[name], array) and loaded[name].dtype == array.dtype for name, array in expected.items())
    assert load_npz(file, ['x'], ['one', 'two']).keys() == {'x', 'one'}
    with pytest.raises(ValueError, match=r'a\.npz: y, z missing'):
        load_npz(file, ['x', 'y', 'z'])
    with pytest.raises(FileNotFoundError, match=r'b\.npz does not exist'):
        load_npz(file.with_name('b.npz'))


def test_a_file_that_unpacks_to_far_more_than_its_size_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr('mmkd_plugin.fileio.arrays.ROOM', 2**20)  # 256 MiB otherwise
    path = tmp_path / 'bomb.npz'
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, dict(descr='<f4', fortran_order=False, shape=(2**22,)))
    with zipfile.ZipFile(path, 'w', zipfile.ZIP_DEFLATED) as archive, archive.open('x.npy', 'w') as member:
        member.write(header.getvalue())
        for _ in range(2**4):
            member.write(bytes(2**20))
    assert path.stat().st_size < 10**5
    with pytest.raises(
        ValueError, match=r'bomb\.npz: cannot be read: 16,777,344 bytes, unpacked from [\d,]+: expected at most'
    ):
        load_npz(path)


def test_a_header_that_promises_more_than_there_is_takes_no_memory(tmp_path):
    path = tmp_path / 'a.npz'
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, dict(descr='<f4', fortran_order=False, shape=(10**12,)))
    with zipfile.ZipFile(path, 'w') as archive:
        archive.writestr('x.npy', header.getvalue())
    with pytest.raises(ValueError, match=r'x is float32 of shape \(1000000000000,\), which 128 bytes do not hold'):
        load_npz(path)


def test_objects_are_refused(tmp_path):
    np.savez(tmp_path / 'a.npz', x=np.array([{}, None]))
    with pytest.raises(ValueError, match=r'a\.npz: cannot be read: x holds Python objects, which can run code'):
        load_npz(tmp_path / 'a.npz')


def test_whatever_is_broken_is_one_error(file):
    """Broken directories of a zip end in IndexError, NotImplementedError and others inside of zipfile."""
    whole, rng = file.read_bytes(), random.Random(0)
    for _ in range(500):
        data = bytearray(whole)
        for _ in range(rng.choice((1, 2, 4))):
            data[rng.randrange(len(data))] = rng.randrange(256)
        file.write_bytes(data[: rng.choice((len(data), len(data), rng.randrange(len(data))))])
        with contextlib.suppress(ValueError):  # anything else is not a sentence, and fails here
            load_npz(file)


def test_characters_that_no_text_has_are_refused(file):
    for order in '<>':
        texts = np.array(['ann', 'bob'], dtype=f'{order}U3')
        texts.view(f'{order}u4')[2] = 2**31
        np.savez(file, name=texts)
        with pytest.raises(ValueError, match=r'a\.npz: cannot be read: name holds characters that no text has'):
            load_npz(file)
        np.savez(
            file, name=np.array(['\U0010ffff', ''], dtype=f'{order}U3'), none=np.empty(0, f'{order}U2'), scalar=np.array('a')
        )
        assert load_npz(file)['name'][0] == '\U0010ffff'
