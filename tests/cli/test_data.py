import itertools
import json
import os
import re
import sys
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from mmkd_plugin.apis import load_config
from mmkd_plugin.cli.arguments import command_line
from mmkd_plugin.datasets.inspection import find_reader
from mmkd_plugin.datasets.inspection.published import Check, conclude
from mmkd_plugin.registry import DATASETS, TASK_UTILS

ROOT = Path(__file__).parents[2]
START = datetime(2014, 7, 1)


def write_series(root, name, length=100, repeated=False):
    """A series of the Numenta benchmark with an anomaly in its last part; a repeated timestamp is worth a note."""
    folder = root / 'data' / 'realKnownCause'
    folder.mkdir(parents=True, exist_ok=True)
    (root / 'labels').mkdir(exist_ok=True)
    times = [START + timedelta(minutes=5 * i) for i in range(length)]
    if repeated:
        times[7] = times[6]
    rows = [f'{time},{value:.6f}' for time, value in zip(times, np.sin(np.arange(length)))]
    (folder / f'{name}.csv').write_text('\n'.join(['timestamp,value', *rows, '']))
    labels = root / 'labels' / 'combined_windows.json'
    known = json.loads(labels.read_text()) if labels.is_file() else {}
    window = [f'{START + timedelta(minutes=5 * i)}.000000' for i in (80, 99)]
    labels.write_text(json.dumps({**known, f'realKnownCause/{name}.csv': [window]}))


CONFIG = """
options = dict(
    type='WindowDataset',
    reader=dict(type='NAB', root='benchmark'),
    window=10,
    step=5,
    subjects=dict(type='LeaveOneSubjectOut', fold=0),
)
train_dataloader = dict(dataset=dict(split='train', **options))
val_dataloader = dict(dataset=dict(split='val', **options))
test_dataloader = dict(dataset=dict(split='test', **options))
"""


@pytest.fixture
def benchmark(tmp_path):
    """Two series of the benchmark, and a config that reads them."""
    for name in 'ab':
        write_series(tmp_path / 'benchmark', name)
    (tmp_path / 'config.py').write_text(CONFIG)
    return tmp_path


def assert_one_error(done, pattern):
    assert done.returncode == 1, done.stdout
    lines = done.stderr.strip().splitlines()
    assert re.match(f'error: .*{pattern}', lines[-1]), lines
    assert 'Traceback' not in done.stderr


def test_a_folder_is_recognised_described_and_drawn(tmp_path, mmkd):
    pytest.importorskip('matplotlib', reason="matplotlib is not installed: pip install 'mmkd_plugin[plot]'")
    for name in 'abcdefg':
        write_series(tmp_path / 'benchmark', name, repeated=name != 'a')
    done = mmkd('data', 'inspect', 'benchmark', '--window', '10', '--out', 'seen/it.png')
    assert done.returncode == 0, done.stderr
    facts = dict(
        re.findall(
            r'^(format|subjects|classes|channels|rate|windows|notes|looks wrong) +(.*)$', done.stdout.split('\n\n')[0], re.M
        )
    )
    assert facts == {
        'format': 'NAB, 7 part(s) in benchmark',
        'subjects': '3: early, late, middle',
        'classes': '8: a, b, c, d, e, f, g, anomaly',
        'channels': '1: value',
        'rate': '0.00333 Hz, a sample in 5.0 min',
        # Of 40, 20, 20 and, in the anomaly, 20 samples.
        'windows': '112 of 10 samples (50.0 min), a step of 5 apart',
        'notes': '6 (gaps, missing values, repairs, what is absent)',
        'looks wrong': 'nothing',
    }
    assert 'anomaly has most, 21 (18.8%), a has fewest, 13 (11.6%); 2 of 3 subject(s) lack some class' in done.stdout
    table = [line.split() for line in done.stdout.splitlines() if re.match('subject|early|middle|late|all', line)][-5:]
    assert table == [
        ['subject', *'abcdefg', 'anomaly', 'all'],
        ['early', *['7'] * 7, '0', '49'],
        ['late', *['3'] * 7, '21', '42'],
        ['middle', *['3'] * 7, '0', '21'],
        ['all', *['13'] * 7, '21', '112'],
    ]
    assert done.stdout.count('the timestamp repeats') == 5
    assert '… and 1 more: --verbose shows all' in done.stdout
    assert (tmp_path / 'seen' / 'it.png').read_bytes().startswith(b'\x89PNG')
    assert [path.name for path in (tmp_path / 'seen').iterdir()] == ['it.png']
    whole = mmkd('data', 'inspect', 'benchmark', '--verbose', '--window', '10')
    assert whole.stdout.count('the timestamp repeats') == 6
    mmkd('data', 'inspect', 'benchmark/../benchmark', '--window', '20')
    plots = [path.name for path in (tmp_path / 'work_dirs' / 'inspect').iterdir()]
    assert len(plots) == 2  # of two windows, none in the other's place
    assert all(re.fullmatch(r'benchmark-[0-9a-f]{6}\.png', name) for name in plots)


@pytest.mark.parametrize(
    ('leaf', 'message'),
    [
        (
            'fam_kd.py',
            [r'format +SeglearnWatch', r'subjects +10: 1, 2, 3', r'windows +2,229 of 200 samples \(4 s\), a step of 100 apart'],
        ),
        (
            '_base_/datasets/basic_motions.py',
            [r'80: test_00, .* train_39', r'4 classes have 20 each', r'56 more subjects are counted in "all"'],
        ),
    ],
)
def test_data_of_a_package_are_inspected_through_a_config(leaf, message, tmp_path, mmkd):
    pytest.importorskip('matplotlib', reason="matplotlib is not installed: pip install 'mmkd_plugin[plot]'")
    done = mmkd('data', 'inspect', ROOT / 'configs' / leaf)
    assert done.returncode == 0, done.stderr
    for pattern in message:
        assert re.search(pattern, done.stdout), done.stdout
    (plot,) = (tmp_path / 'work_dirs' / 'inspect').iterdir()
    assert plot.name.startswith(Path(leaf).stem)


def test_without_matplotlib_there_is_no_plot(benchmark, mmkd, monkeypatch):
    monkeypatch.setitem(sys.modules, 'matplotlib.figure', None)
    done = mmkd('data', 'inspect', 'benchmark')
    assert done.returncode == 0, done.stderr
    sentence = r"a plot needs matplotlib, which is not installed. Run: pip install 'mmkd_plugin\[plot\]'"
    assert re.search(f'^no plot: {sentence}', done.stdout, re.M)
    assert_one_error(mmkd('data', 'inspect', 'benchmark', '--out', 'it.png'), sentence)


def test_what_is_no_data_is_one_error(benchmark, mmkd):
    (benchmark / 'other').mkdir()
    assert_one_error(
        mmkd('data', 'inspect', 'other'), r'no reader knows other: asked were .*NAB.*; --reader NAME says what that'
    )
    assert_one_error(mmkd('data', 'check', 'configs/nowhere.py'), r'there is no config configs/nowhere\.py')
    file = benchmark / 'benchmark' / 'data' / 'realKnownCause' / 'b.csv'
    file.write_text(file.read_text().replace(',0.', ';0.'))
    assert_one_error(mmkd('data', 'inspect', 'benchmark'), r'b\.csv:2: 1 columns, expected timestamp,value')


def test_who_reads_a_folder(benchmark):
    assert type(find_reader(benchmark / 'benchmark')).__name__ == 'NAB'
    with pytest.raises(FileNotFoundError, match=r'no reader knows .*; \S*/benchmark is NAB$'):
        find_reader(benchmark)
    with pytest.raises(FileNotFoundError, match='nowhere does not exist'):
        find_reader(benchmark / 'nowhere')
    with pytest.raises(FileNotFoundError, match=r'root must be a copy of github\.com/numenta/NAB'):
        find_reader(benchmark, 'NAB')
    with pytest.raises(ValueError, match=r"there is no reader 'Nab'; did you mean NAB; there are .*UCIHAR"):
        find_reader(benchmark, 'Nab')
    with pytest.raises(ValueError, match="NAB: got an unexpected keyword argument 'kind'; it takes root, category, early"):
        find_reader(benchmark / 'benchmark', 'NAB', dict(kind='x'))
    with pytest.raises(FileNotFoundError, match='no reader knows'):
        find_reader(benchmark / 'benchmark', options=dict(category='none'))


READERS = itertools.count()
READER = """
from mmkd_plugin.datasets import NAB
from mmkd_plugin.registry import TASK_UTILS

@TASK_UTILS.register_module(force=True)
class Known(NAB):
    known = dict(a=dict(samples=100, rows=100, windows=16), b=dict(rows={rows}, windows=16, bytes={bytes}){more})
    published_windows = dict(window=10, step=5)

    def rows(self, part):
        return len(self._file(part).read_text().splitlines()) - 1

    def files_of(self, part):
        return [self._file(part)]
"""


@pytest.fixture
def registered(benchmark, monkeypatch):
    """Lets a config import from the folder, and forgets the reader afterwards."""
    monkeypatch.syspath_prepend(benchmark)
    yield
    TASK_UTILS.module_dict.pop('Known')


def known(folder, mmkd, **facts):
    """Checks the benchmark by a reader that knows something of it."""
    size = (folder / 'benchmark' / 'data' / 'realKnownCause' / 'b.csv').stat().st_size
    name = f'known_reader_{next(READERS)}'  # a module is imported once
    (folder / f'{name}.py').write_text(READER.format(**{'rows': 100, 'bytes': size, 'more': '', **facts}))
    config = CONFIG.replace("type='NAB'", "type='Known'") + f"custom_imports = dict(imports=['{name}'])\n"
    (folder / 'known.py').write_text(config)
    return mmkd('data', 'check', 'known.py'), size


def test_a_download_is_compared_with_what_is_known(benchmark, mmkd, registered):
    done, size = known(benchmark, mmkd)
    assert done.returncode == 0, done.stderr
    rows = [line.split() for line in done.stdout.splitlines()]
    assert ['a', '4', '100', '100', '16', f'{size:,}', 'ok'] in rows  # recordings, samples, rows, windows, bytes
    assert done.stdout.endswith('2 of 2 known part(s) are as published\n')
    done, size = known(benchmark, mmkd, rows=101, bytes=1, more=', c=dict(rows=3)')
    assert_one_error(done, r'2 part\(s\) are not as published: b, c')
    assert re.search(rf'^b +4 +100 +100, not 101 +16 +{size:,}, not 1 +differs$', done.stdout, re.M)
    assert re.search('^c +- +- +- +- +- +missing$', done.stdout, re.M)
    done, _ = known(benchmark, mmkd, more=', c=dict(lines=3)')
    assert_one_error(done, r'Known\.known has lines; it may have recordings, samples, rows, windows, bytes')
    assert not (benchmark / 'work_dirs').exists()  # the files themselves are read, and nothing is written


def test_what_a_reader_does_not_count_is_not_compared():
    counted = dict(recordings=1, samples=100, rows=None, windows=9, bytes=None)
    checks = [Check('a', counted, dict(rows=90, windows=9)), Check('b', counted, dict(rows=90)), Check('c', counted, {})]
    message = '1 of 2 known part(s) are as published; nothing is known of 1 more; not compared, because the reader does not count them: rows'
    assert conclude(checks) == (message, [])


def test_where_nothing_is_known_there_are_counts(benchmark, mmkd):
    done = mmkd('data', 'check', 'benchmark')
    assert done.returncode == 0, done.stderr
    assert re.search(r'^a +4 +100 +- +- +-$', done.stdout, re.M)
    assert done.stdout.endswith('the reader knows nothing of the published files: these are counts\n')


def test_training_opens_what_was_converted(benchmark, monkeypatch, mmkd):
    done = mmkd('data', 'convert', 'config.py', '--fold', '1')
    assert done.returncode == 0, done.stderr
    store = Path(re.search('^store: (.*)$', done.stdout, re.M)[1])
    assert '8 recordings, 200 samples' in done.stdout
    assert 'reading 2 of 2 parts' not in done.stdout  # they are small
    assert done.stdout.endswith(f'next: {command_line("train", "config.py", "--fold", "1")}\n')
    monkeypatch.chdir(benchmark)
    before = {path: path.stat().st_mtime_ns for path in store.iterdir()}
    cfg = load_config('config.py', fold=1)
    dataset = DATASETS.build(cfg.train_dataloader.dataset)
    assert Path(dataset.data.recordings[0].signal.filename).parent == store.resolve()
    assert {path: path.stat().st_mtime_ns for path in store.iterdir()} == before
    assert [path.name for path in store.parent.iterdir() if path.is_dir()] == [store.name]
    os.rename('benchmark', 'elsewhere')
    moved = mmkd('data', 'convert', 'config.py', '--cfg-options', 'data_root=elsewhere')
    assert moved.stdout.endswith(f'next: {command_line("train", "config.py", "--cfg-options", "data_root=elsewhere")}\n')
    assert str(store) not in moved.stdout


def test_what_cannot_be_converted_is_one_error(benchmark, mmkd):
    assert_one_error(mmkd('data', 'convert', 'config.py', '--fold', '7'), 'there are folds 0 to 2 of 3 subjects, got fold=7')
