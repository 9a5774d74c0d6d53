import errno
import zipfile

import pytest

from mmkd_plugin.failures import of_the_machine, reason_of, reworded


@pytest.mark.parametrize(
    ('error', 'expected'),
    [
        (OSError(errno.EMFILE, 'Too many open files'), True),
        (OSError(errno.EIO, 'Input/output error'), True),
        (PermissionError(errno.EACCES, 'Permission denied'), True),
        (MemoryError(), True),
        (RuntimeError('could not create a primitive'), True),
        (OSError(errno.EINVAL, 'Invalid argument'), False),  # a place before the start of a damaged archive
        (FileNotFoundError(errno.ENOENT, 'No such file or directory'), False),
        (OSError('not a gzipped file'), False),
        (ValueError('out of memory'), False),
        (zipfile.BadZipFile('File is not a zip file'), False),
    ],
)
def test_what_the_machine_lacks_is_no_damage_of_a_file(error, expected):
    assert of_the_machine(error) == expected


def test_an_error_of_a_library_becomes_one_of_this_package_with_its_reason():
    with (
        pytest.raises(ValueError, match=r'^x.npz: cannot be read: File is not a zip file$') as raised,
        reworded('x.npz: cannot be read'),
    ):
        raise zipfile.BadZipFile('File is not a zip file\nat offset 3')
    assert isinstance(raised.value.__cause__, zipfile.BadZipFile)
    pattern = r'^it cannot be built: KeyError: .depth.$'
    with pytest.raises(RuntimeError, match=pattern), reworded('it cannot be built', to=RuntimeError, named=True):
        raise KeyError('depth')


@pytest.mark.parametrize(
    'error', [MemoryError(), OSError(errno.EMFILE, 'Too many open files'), RuntimeError('CUDA out of memory'), ImportError('x')]
)
def test_what_says_nothing_of_a_file_is_passed_on(error):
    with pytest.raises(type(error)) as raised, reworded('x.npz: cannot be read', passing=ImportError):
        raise error
    assert raised.value is error


def test_kinds_that_are_not_named_are_passed_on():
    with pytest.raises(KeyError, match='depth'), reworded('x.npz: cannot be read', (OSError, EOFError)):
        raise KeyError('depth')


def test_the_reason_of_an_error_that_says_nothing_is_its_kind():
    assert [reason_of(EOFError()), reason_of(EOFError(), named=True)] == ['EOFError', 'EOFError']
    assert [reason_of(EOFError('cut\noff')), reason_of(EOFError('cut\noff'), named=True)] == ['cut', 'EOFError: cut']
