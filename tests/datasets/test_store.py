import importlib.util
import logging
import os

import numpy as np
import pytest
from mmengine.logging import MMLogger
from writers.bytes import flip_byte
from writers.lines import contents, read_log, write

import mmkd_plugin
from mmkd_plugin.datasets import convert, open_store, store
from mmkd_plugin.datasets.store import store_faults
from mmkd_plugin.fileio import seal, unseal


def test_what_is_opened_is_what_was_read(formats, tmp_path):
    reader = formats.Lines(tmp_path / 'data')
    direct, result = reader.read_all(), open_store(convert(reader, tmp_path / 'stores'))
    assert (result.channels, result.classes, result.rate, result.notes) == (
        direct.channels,
        direct.classes,
        direct.rate,
        direct.notes,
    )
    assert result.notes[:3] == ('of the whole', 'part 0 is odd', 'part 1 is odd')
    assert 'part 2 is left out' in result.notes
    assert result.fingerprint() == direct.fingerprint()
    assert len(result.recordings) == 12
    for one, other in zip(result.recordings, direct.recordings):
        assert (one.name, one.subject) == (other.name, other.subject)
        assert one.signal.dtype == np.float32
        np.testing.assert_array_equal(one.signal, other.signal)
        np.testing.assert_array_equal(one.label, other.label)
        assert one.summary.moments.keys() == other.summary.moments.keys()
        for label, moments in one.summary.moments.items():
            for name in ('count', 'mean', 'squares', 'min', 'max'):
                np.testing.assert_array_equal(getattr(moments, name), getattr(other.summary.moments[label], name))


def test_samples_stay_on_disk(formats, tmp_path):
    result = open_store(convert(formats.Lines(tmp_path / 'data'), tmp_path / 'stores'))
    for recording in result.recordings:
        arrays = [recording.signal] if np.isscalar(recording.label) else [recording.signal, recording.label]
        assert all(isinstance(array, np.memmap) and not array.flags.owndata for array in arrays)
    one, other = result.recordings[:2]
    assert one.signal.filename == other.signal.filename  # of one part, one file
    assert one.signal.base is not None


def test_a_second_conversion_reads_nothing_and_a_changed_file_makes_another_store(formats, tmp_path):
    reader = formats.Lines(tmp_path / 'data')
    store = convert(reader, tmp_path / 'stores')
    assert convert(formats.Lines(tmp_path / 'data'), tmp_path / 'stores') == store
    assert len(read_log(tmp_path)[0]) == 7
    before = contents(store)
    (tmp_path / 'data' / 'part 3.txt').write_text('33')
    other = convert(reader, tmp_path / 'stores')
    assert other != store
    assert contents(store) == before
    assert open_store(other).fingerprint() != open_store(store).fingerprint()


def test_the_content_of_the_files_decides(formats, tmp_path):
    """An edit that keeps size and time makes another store; a file that was only touched, or copied, does not."""
    reader, path = formats.Lines(tmp_path / 'data'), tmp_path / 'data' / 'part 3.txt'
    store, stat, text = convert(reader, tmp_path / 'stores'), path.stat(), path.read_text()
    os.utime(path, ns=(1, 1))
    assert convert(reader, tmp_path / 'stores') == store
    path.write_text('7')
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert (path.stat().st_size, path.stat().st_mtime_ns) == (stat.st_size, stat.st_mtime_ns)
    other = convert(reader, tmp_path / 'stores')
    assert other != store
    assert open_store(other).fingerprint() != open_store(store).fingerprint()
    path.unlink()
    path.write_text(text)
    assert convert(reader, tmp_path / 'stores') == store


def cut(path):
    path.write_bytes(path.read_bytes()[:-8])


@pytest.fixture
def logged():
    """Lines of the host's log, whose console is that of the test that was first to log."""
    lines: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(record.getMessage())  # type: ignore[method-assign]
    logger = MMLogger.get_current_instance()
    logger.addHandler(handler)
    yield lines
    logger.removeHandler(handler)


@pytest.mark.parametrize('damage', [flip_byte, cut, lambda path: path.unlink()], ids=['flipped', 'cut', 'removed'])
@pytest.mark.parametrize('file', ['part_3*.npy', 'part_4*.labels.npy', 'part_5*.npz', 'part_6*.json', 'store.json'])
def test_a_damaged_store_is_read_again_where_it_is_damaged(file, damage, formats, tmp_path, logged):
    reader = formats.Lines(tmp_path / 'data')
    store = convert(reader, tmp_path / 'stores')
    before, wanted = contents(store), open_store(store).fingerprint()
    (path,) = (path for path in store.glob(file) if '.labels' not in path.name or '.labels' in file)
    damage(path)
    assert store_faults(store)
    (tmp_path / 'data' / 'read.log').unlink()
    assert convert(reader, tmp_path / 'stores') == store
    if path.exists() and path.name != 'store.json':
        assert 'what is damaged is read again' in ''.join(logged)
        assert len(read_log(tmp_path)[0]) == 1
    assert contents(store) == before
    assert open_store(store).fingerprint() == wanted
    assert store_faults(store) == []


def test_a_damaged_head_is_not_opened(formats, tmp_path):
    store = convert(formats.Lines(tmp_path / 'data'), tmp_path / 'stores')
    path = store / 'store.json'
    path.write_text(path.read_text().replace('"rate": ', '"rate": 1'))
    with pytest.raises(ValueError, match=r'store\.json is damaged: its content has changed since it was written'):
        open_store(store)


def sealed(**change):
    return lambda facts: {**facts, **change}


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (sealed(classes=['u']), "cannot be opened: recording 'part 0:0' has label 1, expected 0 to 0"),
        (sealed(channels=[]), r"cannot be opened: recording 'part 0:0' has shape \(25, 2\), expected \(T, 0\) for"),
        (sealed(rate='fast'), "cannot be opened: could not convert string to float: 'fast'"),
        (lambda facts: {'parts': facts['parts']}, "cannot be opened: KeyError: 'notes'"),
    ],
)
def test_a_store_that_somebody_else_has_sealed_is_refused_by_name(change, message, formats, tmp_path):
    store = convert(formats.Lines(tmp_path / 'data'), tmp_path / 'stores')
    (store / 'store.json').write_bytes(seal(change(unseal(store / 'store.json'))))
    with pytest.raises(ValueError, match=f'^{store} {message}'):
        open_store(store)
    (store / 'store.json').write_bytes(seal({'parts': [1]}))
    assert store_faults(store) == [f'{store}/store.json is damaged: parts is [1]']


def test_a_release_keeps_all_stores_and_another_format_makes_another(formats, tmp_path, monkeypatch):
    reader = formats.Lines(tmp_path / 'data')
    kept, fingerprint = convert(reader, tmp_path / 'stores'), reader.fingerprint()
    for module in (mmkd_plugin, mmkd_plugin.version):
        monkeypatch.setattr(module, '__version__', '99.0')
    assert reader.fingerprint() == fingerprint
    assert convert(reader, tmp_path / 'stores') == kept
    monkeypatch.setattr(formats.Lines, 'format', formats.Lines.format + 1)
    assert reader.fingerprint() != fingerprint
    others = {convert(reader, tmp_path / 'stores')}
    monkeypatch.undo()
    monkeypatch.setattr(store, 'FORMAT', store.FORMAT + 1)
    others.add(convert(reader, tmp_path / 'stores'))
    assert len(others | {kept}) == 3


def test_what_takes_a_while_is_announced(formats, tmp_path, monkeypatch, capsys):
    reader, expected = formats.Lines(tmp_path / 'data'), 'reading 7 of 7 parts into'
    convert(reader, tmp_path / 'small')
    assert expected not in capsys.readouterr().out
    monkeypatch.setattr(store, 'SMALL', 6)  # bytes
    convert(reader, tmp_path / 'large')
    assert '7/7' not in capsys.readouterr().out  # the progress bar, which is for terminals
    monkeypatch.setattr(store.sys.stdout, 'isatty', lambda: True)
    convert(reader, tmp_path / 'watched')
    assert '7/7' in capsys.readouterr().out


@pytest.mark.parametrize('workers', [1, 2])
def test_a_damaged_file_is_the_reader_s_error_and_leaves_nothing_half_done(formats, tmp_path, workers):
    (tmp_path / 'data' / 'part 3.txt').write_text('three')
    with pytest.raises(ValueError, match=r'part 3\.txt:1: no number$') as caught:
        convert(formats.Lines(tmp_path / 'data'), tmp_path / 'stores', workers=workers)
    assert '\n' not in str(caught.value)
    (store,) = (path for path in (tmp_path / 'stores').iterdir() if path.is_dir())
    assert not (store / 'store.json').exists()
    assert not list(store.glob('part_3*'))
    assert not list(store.glob('.*'))
    with pytest.raises(FileNotFoundError, match='is no finished store'):
        open_store(store)


def test_messages(formats, tmp_path):
    reader = formats.Lines(tmp_path / 'data')
    with pytest.raises(ValueError, match="engine must be one of processes, ray, got 'threads'"):
        convert(reader, tmp_path / 'stores', 'threads')
    with pytest.raises(FileNotFoundError, match=r'none holds no \*\.txt'):
        convert(formats.Lines(tmp_path / 'none'), tmp_path / 'stores')
    if importlib.util.find_spec('ray') is None:
        with pytest.raises(ImportError, match=r"the engine 'ray' needs ray, .* Run: pip install 'mmkd_plugin\[ray\]'"):
            convert(reader, tmp_path / 'stores', 'ray')
    write(tmp_path / 'empty', [-1, -1])
    with pytest.raises(ValueError, match='no part of .*empty holds a recording: part 0 is left out'):
        convert(formats.Lines(tmp_path / 'empty'), tmp_path / 'stores')
    assert not list((tmp_path / 'stores').glob('*/store.json'))
