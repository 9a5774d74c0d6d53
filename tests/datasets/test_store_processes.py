import os
import re
import resource
import time
from multiprocessing import get_context
from pathlib import Path

import pytest
from writers.lines import contents, read_log, write

from mmkd_plugin.datasets import convert, open_store


def forked(run, *args):
    """Start another process that runs a function; ``result()`` waits and gives what the function returns."""
    context = get_context('fork')
    replies = context.SimpleQueue()
    process = context.Process(target=lambda: replies.put(run(*args)))
    process.start()

    def result():
        process.join(60)
        assert process.exitcode == 0
        return replies.get()

    process.result = result
    return process


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
    assert convert(reader, tmp_path / 'stores', workers=workers) == store
    parts, processes = read_log(tmp_path)
    assert sorted(parts) == sorted(set(reader.parts()) - done)
    # One worker is this process, several are others; whoever has read a part, the files are those of one process.
    assert processes == {os.getpid()} if workers == 1 else len(processes - {os.getpid()}) in (1, 2)
    assert open_store(store).fingerprint() == reader.read_all().fingerprint()
    assert list(store.glob('.*')) == []
    one = convert(reader, tmp_path / 'stores of one')
    assert one.name == store.name
    assert contents(one) == contents(store)


def alive(process):
    """Whether it runs; one that nobody has waited for does not."""
    try:
        return Path(f'/proc/{process}/stat').read_text().rsplit(')', 1)[1].split()[0] != 'Z'
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_of_two_conversions_at_once_one_does_the_work(formats, tmp_path, monkeypatch):
    monkeypatch.setenv('SLOW', '0.1')
    running = [forked(convert, formats.Lines(tmp_path / 'data'), tmp_path / 'stores') for _ in range(2)]
    assert running[0].result() == running[1].result()
    assert sorted(read_log(tmp_path)[0]) == formats.Lines(tmp_path / 'data').parts()
    (store,) = (path for path in (tmp_path / 'stores').iterdir() if path.is_dir())
    assert open_store(store).fingerprint() == formats.Lines(tmp_path / 'data').read_all().fingerprint()


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


def test_more_parts_than_a_process_may_have_files_open(formats, tmp_path):
    write(tmp_path / 'data', range(150))
    store = convert(formats.Lines(tmp_path / 'data'), tmp_path / 'stores')

    def count():
        held = len(os.listdir('/proc/self/fd'))  # by the tests before, some of them
        resource.setrlimit(resource.RLIMIT_NOFILE, (held + 20, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
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
