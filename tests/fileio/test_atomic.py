"""Writes that are whole or absent, on a disk that is full, and where nobody may write."""

import os

import pytest
from helpers import full_disk, give_up_rights

from mmkd_plugin.fileio import write_atomically, write_together


@pytest.mark.parametrize('data', [b'x' * 5000, lambda file: file.write(b'x' * 5000)], ids=['bytes', 'function'])
def test_a_full_disk_is_one_sentence_and_the_old_file_stays(data, tmp_path):
    path = tmp_path / 'a.pth'
    path.write_bytes(b'old')
    message = r'a\.pth cannot be written: File too large; [\d,]+\.\d MiB are free in '
    with full_disk(1000), pytest.raises(OSError, match=message) as caught:
        write_atomically(data, path)
    assert str(tmp_path) in str(caught.value)
    assert [file.name for file in tmp_path.iterdir()] == ['a.pth']
    assert path.read_bytes() == b'old'


def test_links_are_replaced_and_not_followed(tmp_path):
    """Neither one in the place of the file, nor one by the temporary name, which can be guessed."""
    victim = tmp_path / 'victim'
    victim.write_bytes(b'precious')
    (tmp_path / 'a').symlink_to(victim)
    (tmp_path / f'.b.{os.getpid()}.tmp').symlink_to(victim)
    for name in 'ab':
        write_atomically(b'new', tmp_path / name)
        assert (tmp_path / name).read_bytes() == b'new'
        assert not (tmp_path / name).is_symlink()
    assert victim.read_bytes() == b'precious'
    assert sorted(path.name for path in tmp_path.iterdir()) == ['a', 'b', 'victim']


def test_a_function_writes_into_the_file_and_folders_are_made(tmp_path):
    write_atomically(lambda file: file.write(b'new'), tmp_path / 'a' / 'b')
    assert (tmp_path / 'a' / 'b').read_bytes() == b'new'


def test_a_file_where_a_folder_should_be_is_named(tmp_path):
    (tmp_path / 'file').touch()
    with pytest.raises(OSError, match=r'/file/a/b cannot be written: \S+/file is a file, expected a folder'):
        write_atomically(b'', tmp_path / 'file' / 'a' / 'b')


def test_where_nobody_may_write(tmp_path):
    """In a process of its own, since a superuser may write everywhere."""
    tmp_path.chmod(0o500)
    here, other = os.pipe()
    child = os.fork()
    if child == 0:
        give_up_rights()
        try:
            write_atomically(b'', tmp_path / 'x')
        except OSError as error:
            os.write(other, str(error).encode())
        os._exit(0)
    os.waitpid(child, 0)
    text = os.read(here, 4096).decode()
    assert text == f'{tmp_path}/x cannot be written: Permission denied'


def test_files_that_belong_together_are_written_all_or_none(tmp_path):
    (tmp_path / 'b').write_bytes(b'old')
    with full_disk(1000), pytest.raises(OSError, match=r'/c cannot be written: File too large'):
        write_together({tmp_path / 'a': b'new', tmp_path / 'b': b'new', tmp_path / 'c': b'x' * 5000})
    assert [(file.name, file.read_bytes()) for file in tmp_path.iterdir()] == [('b', b'old')]
    write_together({tmp_path / 'a': b'new', tmp_path / 'b': b'new'})
    assert sorted((file.name, file.read_bytes()) for file in tmp_path.iterdir()) == [('a', b'new'), ('b', b'new')]


def test_what_a_killed_write_of_a_file_has_left_goes_with_the_next(tmp_path):
    names = ['.[a].csv.999999999.tmp', f'.[a].csv.{os.getppid()}.tmp', '.a.csv.999999999.tmp']
    for name in names:
        (tmp_path / name).touch()
    write_atomically(b'new', tmp_path / '[a].csv')
    assert {path.name for path in tmp_path.iterdir()} == {'[a].csv', *names[1:]}
