import json
import multiprocessing
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from writers.records import record

from mmkd_plugin.experiments import FIELDS, append_record, failed_record, finished, read_records

DOCS = Path(__file__).parents[2] / 'docs' / 'experiments.md'


def append_many(path, writer, count):
    one = record(f'method{writer}', {'1': 3})
    for seed in range(count):
        append_record({**one, 'seed': seed}, path)


def test_ten_processes_that_append_at_once_lose_no_record(tmp_path):
    path, context = tmp_path / 'runs.jsonl', multiprocessing.get_context('fork')
    writers = [context.Process(target=append_many, args=(path, writer, 8)) for writer in range(10)]
    for process in writers:
        process.start()
    for process in writers:
        process.join()
    sentence = []
    records = read_records(path, sentence.append)
    assert sentence == []
    assert sorted((r['method'], r['seed']) for r in records) == [(f'method{w}', seed) for w in range(10) for seed in range(8)]


def test_a_writer_that_is_killed_leaves_whole_lines_and_no_lock(tmp_path):
    path = tmp_path / 'runs.jsonl'
    process = multiprocessing.get_context('fork').Process(target=append_many, args=(path, 0, 100_000))
    process.start()
    while not path.is_file() or path.stat().st_size < 20_000:
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    append_record(record('kd', {'1': 3}), path)
    sentence = []
    assert read_records(path, sentence.append)[-1]['method'] == 'kd'
    assert len(sentence) <= 1


def test_a_torn_line_is_said_and_the_next_record_begins_a_line(tmp_path):
    path, sentence = tmp_path / 'runs.jsonl', []
    first, second = record('kd', {'1': 3}), record('kd', {'1': 4}, seed=1)
    append_record(first, path)
    os.truncate(path, path.stat().st_size - 40)
    append_record(second, path)
    assert read_records(path, sentence.append) == [second]
    assert sentence == [f'{path}, line 1 is not the whole record of a run and is left out']
    append_record(first, path)
    assert read_records(path) == [second, first]


def test_lines_that_are_no_whole_record_are_named_and_left_out(tmp_path):
    path, sentence = tmp_path / 'runs.jsonl', []
    whole = [record('kd', {'1': 3}), record('kd', {'1': 4}, seed=1)]
    first, second = (json.dumps(line).encode() for line in whole)
    old = json.dumps({'name': 'kd', 'key': 'k', 'seed': 0, 'result': {'networks': []}}).encode()
    path.write_bytes(b'\n'.join([first, b'', b'[1]', b'{"a": 1}', b'null', b'\xff\xfe', old, second, first[:90]]))
    assert read_records(path, sentence.append) == whole
    assert sentence == [f'{path}, line {n} is not the whole record of a run and is left out' for n in (3, 4, 5, 6, 7, 9)]
    assert read_records(tmp_path / 'none.jsonl') == []


@pytest.mark.parametrize(
    ('place', 'value'),
    [
        (('networks', 0, 'role'), 'pupil'),
        (('networks', 0, 'params'), 1.5),
        (('networks', 0, 'test', 'best'), 1),
        (('networks', 0, 'test', 'best', 'n'), 0),
        (('networks', 0, 'test', 'best', 'accuracy'), [0.5]),
        (('networks', 0, 'test', 'best', 'accuracy'), float('nan')),
        (('networks', 0, 'test', 'best', 'correct'), 10**400),
        (('networks', 0, 'test', 'best', 'subjects', 0, 'accuracy'), 1e308),
        (('networks', 0, 'test', 'best', 'subjects', 0), {}),
        (('networks', 0, 'test', 'last', 'classes', 0), {'class': 'walk'}),
        (('networks', 0, 'test', 'last', 'confusion', 0), [1]),
        (('networks', 0, 'test', 'last', 'confusion'), []),
        (('networks', 0, 'test', 'last', 'confusion'), [[20]]),
        (('networks', 0, 'test', 'last', 'confusion', 0), [-1, 1]),
        (('networks', 0, 'test', 'last', 'n'), 1),
        (('networks', 0, 'test', 'last', 'correct'), 1),
        (('networks', 0, 'test'), {'last': None}),
        (('networks', 0, 'test', 'best'), {'confusion': [[1, 0], [0, 1]]}),
        (('ended',), {'state': ['finished']}),
        (('fingerprints', 'config'), []),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_line_whose_inside_is_no_run_s_is_left_out_and_not_reported_on(place, value, tmp_path):
    path, changed, sentence = tmp_path / 'runs.jsonl', record('kd', {'1': 3}), []
    inside = changed
    for key in place[:-1]:
        inside = inside[key]
    inside[place[-1]] = value
    whole = record('kd', {'1': 4}, seed=1)
    path.write_text(f'{json.dumps(changed)}\n{json.dumps(whole)}\n')
    assert read_records(path, sentence.append) == [whole]
    assert sentence == [f'{path}, line 1 is not the whole record of a run and is left out']


def test_a_record_of_a_newer_version_is_refused(tmp_path):
    path = tmp_path / 'runs.jsonl'
    path.write_text(json.dumps(record('kd', {'1': 3}, version=2)) + '\n')
    with pytest.raises(ValueError, match='line 1 has version 2 of the schema; this mmkd_plugin reads up to 1'):
        read_records(path)


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        ({'seed': '0'}, "seed must be int, got '0'"),
        ({'seed': True}, 'seed must be int, got True'),
        ({'fold': 1.5}, 'fold must be int or NoneType, got 1.5'),
        ({'color': 1}, 'there is no field color'),
        ({'networks': [{'name': 'a'}]}, r'the record\.networks\[0\] has no role'),
        ({'ended': {'state': 'lost'}}, "the record.ended.state must be one of failed, finished, pruned, got 'lost'"),
        ({'process': {'seconds': float('nan')}}, 'the record.process.seconds must be a finite number, got nan'),
        ({'stack': {'torch': float('nan')}}, 'Out of range float values are not JSON compliant'),
    ],
)
def test_what_is_no_record_is_not_written(change, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        append_record({**record('kd', {'1': 3}), **change}, tmp_path / 'runs.jsonl')
    with pytest.raises(ValueError, match='not the record of a run: it is no mapping'):
        append_record([], tmp_path / 'runs.jsonl')
    with pytest.raises(ValueError, match='seed is missing'):
        append_record({k: v for k, v in record('kd', {'1': 3}).items() if k != 'seed'}, tmp_path / 'runs.jsonl')
    assert not (tmp_path / 'runs.jsonl').exists()


def test_a_full_disk_leaves_nothing_of_the_line(tmp_path):
    """The limit of a file's size stands for the disk; a process of its own has that limit."""
    path = tmp_path / 'runs.jsonl'
    append_record(record('kd', {'1': 3}), path)
    size = path.stat().st_size
    code = (
        'import json, resource, signal, sys; from mmkd_plugin.experiments import append_record, read_records; '
        '(first,) = read_records(sys.argv[1]); signal.signal(signal.SIGXFSZ, signal.SIG_IGN); '
        f'resource.setrlimit(resource.RLIMIT_FSIZE, ({size + 100}, {size + 100})); append_record(first, sys.argv[1])'
    )
    done = subprocess.run([sys.executable, '-c', code, str(path)], capture_output=True, text=True)
    assert done.returncode == 1
    assert f"File too large: '{path}'" in done.stderr
    assert path.stat().st_size == size


def test_a_failed_run_has_a_record_too_and_a_later_one_takes_its_place(tmp_path):
    path = tmp_path / 'runs.jsonl'
    append_record(failed_record('out of memory', 'kd', 'watch', 3, fold=1, key='abc', settings={'a': 1}), path)
    (failed,) = read_records(path)
    assert failed['ended'] == {'state': 'failed', 'reason': 'out of memory'}
    assert (failed['method'], failed['fold'], failed['seed'], failed['networks']) == ('kd', 1, 3, [])
    assert finished([failed]) == []
    once, again = record('kd', {'1': 3}), record('kd', {'1': 4})
    assert finished([failed, once, again, record('kd', {'1': 4}, seed=1)])[0] == again


def test_every_field_is_documented():
    rows = re.findall(r'^\| `(\w+)` \|', DOCS.read_text().split('## Records')[1].split('## Networks')[0], re.MULTILINE)
    assert rows == list(FIELDS)


def test_the_documented_line_opens_records_in_pandas(tmp_path, monkeypatch):
    pytest.importorskip('pandas')
    monkeypatch.chdir(tmp_path)
    for seed in (0, 1):
        append_record(record('kd', {'1': 3, '2': 8}, seed=seed), 'runs.jsonl')
    (block,) = re.findall(r'```python\n(import pandas\n.*?)```', DOCS.read_text(), re.DOTALL)
    names = {}
    exec(block, names)
    assert names['runs'][['method', 'seed']].values.tolist() == [['kd', 0], ['kd', 1]]
    assert names['subjects'][['method', 'seed', 'subject', 'correct']].values.tolist() == [
        ['kd', 0, '1', 3],
        ['kd', 0, '2', 8],
        ['kd', 1, '1', 3],
        ['kd', 1, '2', 8],
    ]
