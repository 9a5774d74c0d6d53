"""Pickles of arrays, from every protocol and from Python 2, and pickles that want anything else."""

import contextlib
import io
import os
import pickle
import struct
from pathlib import Path

import numpy as np
import pytest
from writers.python2 import dump, raw_array

from mmkd_plugin.fileio import load_pickle, pickles, read_pickle

CONTENT = [
    (np.arange(15.0).reshape(5, 3), np.arange(5)),
    (np.asfortranarray(np.arange(12).reshape(4, 3).astype('>f4')), np.array(['walk', 'é'])),
    (np.arange(24).reshape(2, 3, 4).transpose(1, 0, 2), np.zeros((2, 0)), np.array([True, False]), np.array([b'x', b'yz'])),
]


@pytest.mark.parametrize('protocol', range(pickle.HIGHEST_PROTOCOL + 1))
def test_arrays_come_back_from_every_protocol(protocol):
    content = {'arrays': CONTENT, 'plain': ['é', b'\xff', 1, 2.5, None, True, 10**30], 'number': np.float64(3.5)}
    result = load_pickle(pickle.dumps(content, protocol=protocol))
    assert (result['plain'], result['number']) == (content['plain'], 3.5)
    for given, read in zip(CONTENT, result['arrays']):
        assert type(read) is tuple
        for a, b in zip(given, read):
            assert (a.dtype, a.shape) == (b.dtype, b.shape)
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize('protocol', [0, 2])
def test_arrays_of_python_2(protocol):
    every_byte = np.arange(256, dtype=np.uint8).reshape(4, 64)
    content = [(np.array([[1.5, -2.0], [0.1, 3e300]]), np.array([0, 11])), (every_byte, every_byte[0])]
    data = dump(content, protocol)
    for given, read in zip(content, load_pickle(data)):
        for a, b in zip(given, read):
            np.testing.assert_array_equal(a, b)
    # What pickle itself makes of these bytes is the same.
    for given, read in zip(pickle.loads(data, encoding='latin1'), load_pickle(data)):
        np.testing.assert_array_equal(given[0], read[0])


def test_the_same_array_twice_is_read_once():
    array = np.arange(6.0)
    first, second = load_pickle(pickle.dumps([array, array]))
    assert first is second


def call(module, name, argument=b''):
    """A pickle that calls a function with one text."""
    return f'c{module}\n{name}\n('.encode() + (b"S'" + argument + b"'\n" if argument else b'') + b'tR.'


def stack_global(module, name):
    """The same by names from the stack, as protocol 4 has them."""
    texts = b''.join(b'\x8c' + bytes([len(text)]) + text.encode() for text in (module, name))
    return b'\x80\x04' + texts + b'\x93)R.'


class Named:
    def __init__(self, reduced):
        self.reduced = reduced

    def __reduce__(self):
        return self.reduced


class WithPersistentId(pickle.Pickler):
    def persistent_id(self, obj):
        return 'outside' if isinstance(obj, complex) else None


def persistent(protocol):
    buffer = io.BytesIO()
    WithPersistentId(buffer, protocol).dump([1j])
    return buffer.getvalue()


ATTACKS = {
    'a command': (
        call('posix', 'system', b'touch planted'),
        r'the file asks for posix\.system, which arrays of numbers do not',
    ),
    'a command by name': (pickle.dumps(Named((os.system, ('touch planted',)))), r'the file asks for posix\.system'),
    'eval': (call('__builtin__', 'eval', b'1'), r'the file asks for __builtin__\.eval'),
    'eval from the stack': (stack_global('builtins', 'eval'), r'the file asks for builtins\.eval'),
    'getattr': (stack_global('builtins', 'getattr'), r'the file asks for builtins\.getattr'),
    'numpy itself': (call('numpy', 'load', b'x.npy'), r'the file asks for numpy\.load'),
    'a name with dots': (stack_global('numpy', 'ndarray.tofile'), r'the file asks for numpy\.ndarray\.tofile'),
    'bytes of something else': (b'cbuiltins\nbytes\n(I100000000000\ntR.', 'the file makes bytes of something else'),
    'another encoding': (b"c_codecs\nencode\n(S'abc'\nS'zip'\ntR.", 'the file encodes something else than bytes'),
    'an instance': (b"(S'x'\niposix\nsystem\n.", 'has the instruction INST'),
    'an object': (b"(cnumpy\nndarray\nS'x'\no.", 'has the instruction OBJ'),
    'a new object': (b'\x80\x02cnumpy\nndarray\n)\x81.', 'has the instruction NEWOBJ'),
    'an extension': (b'\x80\x02\x82\x01.', 'has the instruction EXT1'),
    'a persistent id': (persistent(0), 'has the instruction PERSID'),
    'a persistent id, binary': (persistent(2), 'has the instruction BINPERSID'),
    'a buffer from outside': (b'\x80\x05\x97.', 'has the instruction NEXT_BUFFER'),
    'attributes of a constructor': (b'cnumpy\nndarray\n}b.', 'the pickle sets attributes of a constructor'),
    'a constructor': (b'cnumpy\nndarray\n.', 'the file has a Constructor by itself'),
    'a set': (b'\x80\x04\x8f.', 'the file has a set by itself, expected arrays and lists of them'),
    'objects': (pickle.dumps(np.array([{}, None], dtype=object)), r'an array of Python objects, of shape \(2,\)'),
    'objects by bytes': (raw_array('O8', (1,), bytes(8)) + b'.', 'an array of Python objects'),
    'structures': (pickle.dumps(np.zeros(2, dtype='i4,f8')), "an array of type 'V12', expected numbers or texts"),
    'times': (pickle.dumps(np.zeros(2, dtype='M8[s]')), "an array of type 'M8'"),
    'no type': (raw_array('f3', (1,), bytes(3)) + b'.', "an array of type 'f3'"),
    'too large a shape': (raw_array('f8', (2**40, 2**20), bytes(8)) + b'.', r'with shape \(1099511627776, 1048576\), and 8 by'),
    'a shape below 0': (raw_array('f8', (-1, -1), bytes(8)) + b'.', 'an array without a shape'),
    'a byte order that is none': (raw_array('f8', (1,), bytes(8), order='!') + b'.', 'an array of structures'),
    'an array before its shape': (b'cnumpy\nndarray\n)R.', 'an array without a shape'),
    'an array that is its own content': (
        b'cnumpy.core.multiarray\n_reconstruct\n)Rp0\n(I1\n(tg0\nI00\ng0\ntb.',
        'without a shape',
    ),
    'a long text that is not there': (
        b'\x80\x04\x8d' + struct.pack('<Q', 2**60) + b'x.',
        'no pickle, or a damaged one: expected',
    ),
    'long bytes that are not there': (
        b'\x80\x04\x8e' + struct.pack('<Q', 2**50) + b'x.',
        'no pickle, or a damaged one: expected',
    ),
    'a large index': (b'\x80\x02Nr' + struct.pack('<I', 2**31) + b'.', 'an index of 2,147,483,648, more than its 9 bytes'),
    'a list in itself': (b'\x80\x02]q\x00h\x00a.', 'a list that holds itself'),
    'lists in lists': (b'(' * 50_000 + b't' * 50_000 + b'.', 'lists in lists, too deep to read'),
    'arrays as keys': (b'}(cnumpy\nndarray\n)RNu.', 'a dict whose keys are neither texts nor numbers'),
    'truncated': (pickle.dumps(CONTENT)[:-20], 'no pickle, or a damaged one'),
    'empty': (b'', 'no pickle, or a damaged one'),
    'no pickle': (b'PK\x03\x04', 'no pickle, or a damaged one'),
    'an empty stack': (b'a.', 'the pickle is damaged'),
}


@pytest.mark.parametrize('kind', ATTACKS)
def test_whatever_arrays_do_not_need_is_refused_in_one_sentence(kind, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    data, message = ATTACKS[kind]
    with pytest.raises(ValueError, match=message) as caught:
        load_pickle(data)
    assert '\n' not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_lists_of_lists_cost_what_they_take_in_the_file():
    data = b'\x80\x02]q\x00'  # thirty lists, each of the one before ten times: 10^29 entries if written out
    for index in range(30):
        data += b']q' + bytes([index + 1]) + (b'h' + bytes([index]) + b'a') * 10
    result = load_pickle(data + b'.')
    assert len(result) == 10
    assert result[0] is result[9]


def test_arrays_cannot_take_more_than_the_file_has():
    content = pickle.dumps([np.zeros(100)], protocol=2)
    shared = content[:-1].replace(b'\x80\x02', b'', 1)
    text = b'\x80\x02' + b'T' + struct.pack('<i', 800) + bytes(800) + b'q\x7f0'  # one text, as content of a hundred arrays
    array = raw_array('f8', (100,), b'').replace(b'T' + bytes(4) + b'tb', b'h\x7ftb')
    with pytest.raises(ValueError, match='arrays of more bytes than its own'):
        load_pickle(text + b'(' + array * 100 + b't.')
    assert len(load_pickle(b'\x80\x02' + shared + b'.')) == 1


def test_arrays_of_objects_where_they_are_allowed():
    content = np.array({'X': [np.zeros((2, 3))], 'names': np.array(['a', ['b']], dtype=object)}, dtype=object)
    result = load_pickle(pickle.dumps(content), objects=True).item()
    np.testing.assert_array_equal(result['X'][0], np.zeros((2, 3)))
    assert result['names'].tolist() == ['a', ['b']]
    with pytest.raises(ValueError, match=r'the file asks for posix\.system'):
        load_pickle(pickle.dumps(np.array([Named((os.system, ('x',)))], dtype=object)), objects=True)
    with pytest.raises(ValueError, match='and not as many objects'):
        load_pickle(raw_array('O8', (1,), bytes(8)) + b'.', objects=True)


def test_damaged_pickles_are_read_or_one_error():
    rng, whole = np.random.default_rng(0), pickle.dumps(CONTENT, protocol=2)
    for _ in range(300):
        data = bytearray(whole)
        for place in rng.integers(0, len(data), 3):
            data[place] = rng.integers(256)
        with contextlib.suppress(ValueError):  # and no other error
            load_pickle(bytes(data))


def test_the_path_is_said(tmp_path, monkeypatch):
    file = Path(tmp_path, 'pamap2.data')
    with pytest.raises(FileNotFoundError, match=r'pamap2\.data does not exist'):
        read_pickle(file)
    file.write_bytes(call('posix', 'system', b'x'))
    with pytest.raises(ValueError, match=r'pamap2\.data: the file asks for posix\.system'):
        read_pickle(file)
    monkeypatch.setattr(pickles, 'LARGEST', 10)
    with pytest.raises(ValueError, match=r'pamap2\.data has \d+ bytes, expected at most 10$'):
        read_pickle(file)
    monkeypatch.setattr(pickles, 'MOST_STEPS', 10)
    with pytest.raises(ValueError, match='more than 10 parts: store arrays, not lists of numbers'):
        load_pickle(pickle.dumps([1.5] * 20))
