"""Hashes of content: what has changed is noticed, whatever size and time say; what has not is not read again."""

import hashlib
import json
import os
import time

import pytest

from mmkd_plugin.fileio import content as module
from mmkd_plugin.fileio import content_hashes, file_faults, file_hash, load_hashes, save_hashes, seal, unseal


def settled(path, data):
    """Write a file whose time of change is long enough ago for its hash to be remembered."""
    path.write_bytes(data)
    time.sleep(module.SETTLED / 1e9 + 0.02)
    return path


@pytest.fixture
def reads(monkeypatch):
    """Paths that are read, with the real reading."""
    paths, real = [], module._hash
    monkeypatch.setattr(module, '_hash', lambda path: paths.append(path) or real(path))
    return paths


def test_hashes_are_those_of_the_bytes_and_a_file_is_read_once(tmp_path, reads):
    one, other = tmp_path / 'a', settled(tmp_path / 'b', b'bb')
    settled(one, b'a' * 10_000_000)
    expected = [hashlib.sha256(path.read_bytes()).hexdigest() for path in (one, other, one)]
    assert content_hashes([one, other, one]) == expected
    assert content_hashes([one, other, one]) == expected
    assert sorted(reads) == [str(one), str(other)]


def test_an_edit_that_keeps_size_and_time_is_noticed(tmp_path):
    path = settled(tmp_path / 'a', b'first')
    before, stat = file_hash(path), path.stat()
    path.write_bytes(b'other')
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert (path.stat().st_size, path.stat().st_mtime_ns) == (stat.st_size, stat.st_mtime_ns)
    assert file_hash(path) != before


def test_a_file_that_was_just_written_is_not_trusted_yet(tmp_path, reads):
    """Two writes within one tick of the clock bear the same stamp."""
    path = tmp_path / 'a'
    path.write_bytes(b'a')
    file_hash(path)
    file_hash(path)
    assert len(reads) == 2


def test_hashes_are_kept_for_later_processes(tmp_path, reads, monkeypatch):
    path, kept = settled(tmp_path / 'a', b'a'), tmp_path / 'sources.json'
    sha = file_hash(path)
    save_hashes(kept, [path])
    written = kept.stat().st_mtime_ns
    save_hashes(kept, [path])
    assert kept.stat().st_mtime_ns == written  # nothing new
    for name in ('_KNOWN', '_LOADED'):
        monkeypatch.setattr(module, name, {})  # as in another process
    load_hashes(kept)
    assert file_hash(path) == sha
    assert len(reads) == 1
    path.write_bytes(b'b')
    assert file_hash(path) == hashlib.sha256(b'b').hexdigest()


@pytest.mark.parametrize('text', ['', '{}', '[1]', '{"/etc/passwd": [1, 2, 3, 4, "0"], "sha256": "0"}'])
def test_a_damaged_list_of_hashes_is_as_good_as_none(text, tmp_path):
    kept = tmp_path / 'sources.json'
    kept.write_text(text)
    load_hashes(kept)
    assert '/etc/passwd' not in module._KNOWN


def test_names_that_lead_out_of_the_folder_are_faults_and_nothing_is_read_there(tmp_path, reads):
    (tmp_path / 'secret').write_text('x')
    folder = tmp_path / 'store'
    folder.mkdir()
    sha = hashlib.sha256(b'x').hexdigest()
    names = ['../secret', str(tmp_path / 'secret'), 'a/b', '', '.', '..']
    assert file_faults(folder, dict.fromkeys(names, sha)) == [f'{name!r} is no name of a file in {folder}' for name in names]
    assert reads == []


def test_facts_are_sealed(tmp_path):
    path = tmp_path / 'facts.json'
    path.write_bytes(seal({'rate': 50.0, 'classes': ['a', 'b']}))
    assert unseal(path) == {'rate': 50.0, 'classes': ['a', 'b']}
    path.write_text(path.read_text().replace('50.0', '51.0'))
    with pytest.raises(ValueError, match=r'facts\.json is damaged: its content has changed since it was written'):
        unseal(path)
    for text in ('{"rate": 50.0', '[]', '{}', 'null'):
        path.write_text(text)
        with pytest.raises(ValueError, match=r'facts\.json is damaged: it is not the JSON that was written'):
            unseal(path)


def test_faults_of_files_are_named(tmp_path):
    for name in 'abc':
        (tmp_path / name).write_text(name)
    hashes = dict(zip('abc', content_hashes(tmp_path / name for name in 'abc')))
    assert file_faults(tmp_path, json.loads(json.dumps(hashes))) == []
    (tmp_path / 'a').unlink()
    (tmp_path / 'b').write_text('x')
    assert file_faults(tmp_path, hashes) == [
        f'{tmp_path}/a is missing',
        f'{tmp_path}/b is damaged: its content has changed since it was written',
    ]


def test_kept_hashes_of_no_time_are_as_good_as_none(tmp_path):
    """JSON knows infinity, which is no whole number."""
    (tmp_path / 'kept.json').write_bytes(seal({'/of no time': [1, 2, 3, float('inf'), '0' * 64]}))
    load_hashes(tmp_path / 'kept.json')
    assert '/of no time' not in module._KNOWN
