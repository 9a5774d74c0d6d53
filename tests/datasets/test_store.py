import importlib.util
import os
import re
import resource
import sys
import time
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest

import mmkd_plugin
from mmkd_plugin.datasets import convert, open_store, store

# A format of the simplest kind, in a module of its own, as another process imports it. It says what it reads, and may be slow.
FORMAT = """
import os
import time
from pathlib import Path

import numpy as np

from mmkd_plugin.datasets import Part, Reader, Recording


class Lines(Reader):
    channels, classes, rate = ('x', 'y'), ('u', 'v'), 10.0

    def parts(self):
        found = sorted(path.stem for path in self.root.glob('*.txt'))
        if not found:
            raise FileNotFoundError(f'{self.root} holds no *.txt')
        return found

    def files(self):
        return [self.root / f'{part}.txt' for part in self.parts()]

    def notes(self):
        return ['of the whole']

    def read(self, part):
        with open(self.root / 'read.log', 'a') as log:
            log.write(f'{part} {os.getpid()}\\n')
        time.sleep(float(os.environ.get('SLOW', 0)))
        file = self.root / f'{part}.txt'
        try:
            seed = int(file.read_text())
        except ValueError:
            raise ValueError(f'{file}:1: no number') from None
        if seed < 0:
            return Part((), (f'{part} is left out',))
        random = np.random.default_rng(seed)
        whole = random.normal(size=(40, 2)).astype(np.float32)
        labels = np.repeat([0, -1, 1, 0], 10)
        return Part(
            (Recording(whole[:25], seed % 2, f's{seed}', f'{part}:0'), Recording(whole, labels, f's{seed}', f'{part}:1')),
            (f'{part} is odd',),
        )


class Large(Lines):
    channels = ('x',) * 16

    def read(self, part):
        signal = np.full((500_000, 16), float(part), np.float32)  # 32 MB
        return Part((Recording(signal, int(part), part, part),))
"""


@pytest.fixture
def formats(tmp_path, monkeypatch):
    """The module of the format, and a folder with seven parts in it, one of them without a recording."""
    (tmp_path / 'code').mkdir()
    (tmp_path / 'code' / 'lines_format.py').write_text(FORMAT)
    monkeypatch.syspath_prepend(tmp_path / 'code')
    monkeypatch.setenv('PYTHONPATH', f'{tmp_path / "code"}{os.pathsep}{os.environ.get("PYTHONPATH", "")}')
    write(tmp_path / 'data', [1, 2, -1, 3, 4, 5, 6])
    yield importlib.import_module('lines_format')
    del sys.modules['lines_format']


def write(folder, seeds):
    folder.mkdir(exist_ok=True)
    for place, seed in enumerate(seeds):
        (folder / f'part {place}.txt').write_text(str(seed))


def read_log(tmp_path):
    """Parts that have been read, and the processes that did it."""
    lines = (tmp_path / 'data' / 'read.log').read_text().splitlines()
    return [line.rsplit(' ', 1)[0] for line in lines], {int(line.rsplit(' ', 1)[1]) for line in lines}


def forked(run, *args):
    """Start another process that runs a function; ``result()`` waits and gives what the function returns."""
    context = get_context('fork')
    answers = context.SimpleQueue()
    process = context.Process(target=lambda: answers.put(run(*args)))
    process.start()

    def result():
        process.join(60)
        assert process.exitcode == 0
        return answers.get()

    process.result = result
    return process


def contents(store):
    return {path.name: path.read_bytes() for path in store.iterdir()}


def test_what_is_opened_is_what_was_read(formats, tmp_path):
    reader = formats.Lines(tmp_path / 'data')
    direct, found = reader.read_all(), open_store(convert(reader, tmp_path / 'stores'))
    assert (found.channels, found.classes, found.rate, found.notes) == (
        direct.channels,
        direct.classes,
        direct.rate,
        direct.notes,
    )
    assert found.notes[:3] == ('of the whole', 'part 0 is odd', 'part 1 is odd')
    assert 'part 2 is left out' in found.notes
    assert found.fingerprint() == direct.fingerprint()
    assert len(found.recordings) == 12
    for one, other in zip(found.recordings, direct.recordings):
        assert (one.name, one.subject) == (other.name, other.subject)
        assert one.signal.dtype == np.float32
        np.testing.assert_array_equal(one.signal, other.signal)
        np.testing.assert_array_equal(one.label, other.label)
        assert one.summary.moments.keys() == other.summary.moments.keys()
        for label, moments in one.summary.moments.items():
            for name in ('count', 'mean', 'squares', 'min', 'max'):
                np.testing.assert_array_equal(getattr(moments, name), getattr(other.summary.moments[label], name))


def test_samples_stay_on_disk(formats, tmp_path):
    found = open_store(convert(formats.Lines(tmp_path / 'data'), tmp_path / 'stores'))
    for recording in found.recordings:
        arrays = [recording.signal] if np.isscalar(recording.label) else [recording.signal, recording.label]
        assert all(isinstance(array, np.memmap) and not array.flags.owndata for array in arrays)
    one, other = found.recordings[:2]
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
def test_a_killed_conversion_goes_on_where_it_was(formats, tmp_path, workers, monkeypatch):
    monkeypatch.setenv('SLOW', '0.5')
    running = forked(convert, formats.Lines(tmp_path / 'data'), tmp_path / 'stores', 'processes', workers)
    try:
        deadline = time.time() + 60
        while len(list((tmp_path / 'stores').glob('*/*.json'))) < 2:
            assert time.time() < deadline
            assert running.is_alive()
            time.sleep(0.02)
    finally:
        running.kill()
        running.join(30)
    monkeypatch.setenv('SLOW', '0')
    (store,) = (path for path in (tmp_path / 'stores').iterdir() if path.is_dir())
    _, processes = read_log(tmp_path)
    deadline = time.time() + 10
    while any(alive(process) for process in processes):  # its workers end with it
        assert time.time() < deadline
        time.sleep(0.02)
    assert not (store / 'store.json').exists()
    done = {path.name.rsplit('-', 1)[0].replace('_', ' ') for path in store.glob('*.json')}
    assert 2 <= len(done) < 7
    (store / '.part_6.npy.1.tmp').write_bytes(b'half')  # killed while it wrote
    (tmp_path / 'data' / 'read.log').unlink()

    reader = formats.Lines(tmp_path / 'data')
    assert convert(reader, tmp_path / 'stores') == store
    assert sorted(read_log(tmp_path)[0]) == sorted(set(reader.parts()) - done)
    assert open_store(store).fingerprint() == reader.read_all().fingerprint()
    assert list(store.glob('.*')) == []


def alive(process):
    """Whether it runs; one that nobody has waited for does not."""
    try:
        return Path(f'/proc/{process}/stat').read_text().rsplit(')', 1)[1].split()[0] != 'Z'
    except (FileNotFoundError, ProcessLookupError):
        return False


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


def test_of_two_conversions_at_once_one_does_the_work(formats, tmp_path, monkeypatch):
    monkeypatch.setenv('SLOW', '0.1')
    running = [forked(convert, formats.Lines(tmp_path / 'data'), tmp_path / 'stores') for _ in range(2)]
    assert running[0].result() == running[1].result()
    assert sorted(read_log(tmp_path)[0]) == formats.Lines(tmp_path / 'data').parts()
    (store,) = (path for path in (tmp_path / 'stores').iterdir() if path.is_dir())
    assert open_store(store).fingerprint() == formats.Lines(tmp_path / 'data').read_all().fingerprint()


def test_workers_write_the_same_files(formats, tmp_path):
    reader = formats.Lines(tmp_path / 'data')
    one, two = (convert(reader, tmp_path / f'stores {workers}', workers=workers) for workers in (1, 2))
    assert one.name == two.name
    assert contents(one) == contents(two)
    parts, processes = read_log(tmp_path)
    assert sorted(parts) == sorted(2 * reader.parts())
    assert len(processes - {os.getpid()}) in (1, 2)  # not this one


def test_ray_writes_the_same_files(formats, tmp_path, monkeypatch):
    pytest.importorskip('ray', reason="Ray is not installed: pip install 'mmkd_plugin[ray]'")
    monkeypatch.chdir(tmp_path)
    reader = formats.Lines('data')  # paths are relative in configs
    one, two = (convert(reader, f'stores {engine}', engine, 2) for engine in ('processes', 'ray'))
    assert contents(one) == contents(two)
    Path('data', 'part 3.txt').write_text('three')
    with pytest.raises(ValueError, match=r'^data/part 3\.txt:1: no number$'):
        convert(reader, 'stores', 'ray', 2)
    assert not list(Path('stores').glob('*/store.json'))


def test_messages(formats, tmp_path):
    reader = formats.Lines(tmp_path / 'data')
    with pytest.raises(ValueError, match="engine must be one of processes, ray, got 'threads'"):
        convert(reader, tmp_path / 'stores', 'threads')
    with pytest.raises(FileNotFoundError, match=r'none holds no \*\.txt'):
        convert(formats.Lines(tmp_path / 'none'), tmp_path / 'stores')
    if importlib.util.find_spec('ray') is None:
        with pytest.raises(ImportError, match=r"engine='ray' needs Ray, .* Run: pip install 'mmkd_plugin\[ray\]'"):
            convert(reader, tmp_path / 'stores', 'ray')
    write(tmp_path / 'empty', [-1, -1])
    with pytest.raises(ValueError, match='no part of .*empty holds a recording: part 0 is left out'):
        convert(formats.Lines(tmp_path / 'empty'), tmp_path / 'stores')
    assert not list((tmp_path / 'stores').glob('*/store.json'))


def test_more_parts_than_a_process_may_have_files_open(formats, tmp_path):
    write(tmp_path / 'data', range(150))
    store = convert(formats.Lines(tmp_path / 'data'), tmp_path / 'stores')

    def count():
        resource.setrlimit(resource.RLIMIT_NOFILE, (100, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
        return len(open_store(store).recordings)

    assert forked(count).result() == 300


def memory():
    """Memory of this process in MiB: what is its own, and all that is resident."""
    text = Path('/proc/self/smaps_rollup').read_text()
    return [
        sum(map(int, re.findall(rf'^{kind}: +(\d+) kB', text, re.M))) // 1024 for kind in ('Private_(?:Clean|Dirty)', 'Rss')
    ]


def test_processes_share_the_samples_of_a_large_store(formats, tmp_path):
    """Memory of a process does not grow with what it reads: two that map the same file see the same pages."""
    if not Path('/proc/self/smaps_rollup').is_file():
        pytest.skip('only Linux says in /proc/self/smaps_rollup which memory is private')
    (tmp_path / 'large').mkdir()
    for part in '01':
        (tmp_path / 'large' / f'{part}.txt').write_text(part)
    store = convert(formats.Large(tmp_path / 'large'), tmp_path / 'stores')
    opened = open_store(store)
    assert sum(float(r.signal.sum()) for r in opened.recordings) == 8_000_000  # all pages are mapped here, too

    def grown():
        recordings = open_store(store).recordings
        before = memory()
        assert sum(float(r.signal.sum()) for r in recordings) == 8_000_000
        return [after - before for before, after in zip(before, memory())]

    private, resident = forked(grown).result()
    assert resident >= 60  # MiB: every sample was read
    assert private <= 4
    assert opened.recordings[0].signal[0, 0] == 0
