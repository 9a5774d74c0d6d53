import os
import subprocess
import sys

from forks import start_program
from writers.tables import write

from mmkd_plugin.datasets.names import find_alike, natural

LAYOUT = """
channels: [acc_x]
rate: 50
label: activity
subject: person
"""
PEOPLE, CLASSES = ('1', '01', '001', 'S1', 'S01'), ('1', '01', '001')
# What every process prints of the same files: orders that come out of sets of a user's names.
PROGRAM = """
import sys
from mmengine.logging import MMLogger
from mmkd_plugin.datasets import WindowDataset, audit
from mmkd_plugin.datasets.inspection import inspect_recordings
from mmkd_plugin.datasets.names import find_alike, natural
from mmkd_plugin.fileio import complete_teachers, facts_hash, format_config, read_config, resolve_config
root, store = sys.argv[1:]
MMLogger.get_instance('names')  # with the console of this process
print(sorted({'S1', 'S01', 'S001', 'S10', '1', '01', '001'}, key=natural))
options = dict(reader=dict(type='Tables', root=root), window=4, step=4, store=store)
for protocol in (dict(type='LeaveOneSubjectOut', fold=1), dict(type='GroupedKFold', k=3), dict(type='HoldOut')):
    splits = {split: WindowDataset(split=split, subjects=protocol, **options) for split in ('train', 'val', 'test')}
    print(splits['train'].metainfo['classes'], splits['train'].subjects, audit(splits).fingerprint())
cfg = read_config(resolve_config('fam_kd'))
complete_teachers(cfg.model)
print(facts_hash(format_config(cfg.to_dict())))
summary = inspect_recordings(splits['train'].data, '', 4, 4)
print(summary.subjects, summary.oddities)
"""


def test_natural_order_is_total():
    names = ['1', '01', '001', '9', '10', 'S01', 'S1', 'S10', 'S9', '①', '1' * 5000]
    expected = ['001', '01', '1', '9', '10', '1' * 5000, 'S01', 'S1', 'S9', 'S10', '①']
    for given in (names, expected, expected[::-1]):
        assert sorted(given, key=natural) == expected


def test_names_that_may_be_one_are_found():
    names = [
        '1',
        '01',
        '1.0',
        '10',
        '1.01',
        'S1',
        's01',
        'S10',
        'Walk',
        'walk',
        'run',
        'Ren\u00e9',
        'Rene\u0301',
        'stra\u00dfe',
        'STRASSE',
    ]
    assert [set(group) for group in find_alike(names)] == [
        {'1', '01', '1.0'},
        {'Ren\u00e9', 'Rene\u0301'},
        {'S1', 's01'},
        {'STRASSE', 'stra\u00dfe'},
        {'Walk', 'walk'},
    ]
    assert find_alike(['S_1', 'S-01', 's 1', 'S1 ']) == [('S1 ', 'S-01', 'S_1', 's 1')]
    assert find_alike(['ann', 'an\u200bn', '+7', '7']) == [('7', '+7'), ('ann', 'an\u200bn')]
    assert find_alike(['1_2', '12', 'S1_2', 'S12', '1.2']) == []
    assert find_alike(['train_0001', 'train_0010', 'test_0001', 'walk', 'walking', '1.1', '1.01', '2', '-2']) == []


def other_order():
    """Return a seed of hashes that gives both sets of names another order than they have in this process."""
    code = f'print(*{set(PEOPLE)!r}); print(*{set(CLASSES)!r})'
    own = [' '.join(set(names)) for names in (PEOPLE, CLASSES)]
    for seed in map(str, range(100)):
        done = subprocess.run(
            [sys.executable, '-S', '-c', code], env={'PYTHONHASHSEED': seed}, capture_output=True, text=True, check=True
        )
        if all(other != order for other, order in zip(done.stdout.splitlines(), own, strict=True)):
            return seed
    raise AssertionError('a hundred orders are one')


def test_names_that_tie_have_one_order_in_every_process(tmp_path):
    rows = [
        [i + 10 * p + 1000 * k, name, who] for p, who in enumerate(PEOPLE) for k, name in enumerate(CLASSES) for i in range(8)
    ]
    write(tmp_path / 'data', rows, header='acc_x,activity,person', layout=LAYOUT)
    end = start_program(PROGRAM, tmp_path / 'data', tmp_path / 'here')
    environment = {**os.environ, 'PYTHONHASHSEED': other_order()}
    command = [sys.executable, '-c', PROGRAM, str(tmp_path / 'data'), str(tmp_path / 'there')]
    processes = [subprocess.run(command, env=environment, capture_output=True, text=True), end()]
    assert [process.returncode for process in processes] == [0] * 2, [process.stderr for process in processes]
    outputs = [process.stdout for process in processes]
    texts = [[line.split(' - ')[-1] for line in printed.splitlines()] for printed in outputs]  # the log without its times
    assert all(text == texts[0] for text in texts), texts
    assert texts[0][0] == "['001', '01', '1', 'S001', 'S01', 'S1', 'S10']"
    assert texts[0][-1].startswith("('001', '01', '1', 'S01', 'S1') ")
    assert "subjects '001', '01', '1' may be the same, written in different ways" in texts[0][-1]
    assert "classes '001', '01', '1' may be the same, written in different ways" in texts[0][-1]
    # Of the audit: fold 1 tests 01, validates 1 and learns from 001.
    expected = (
        "subjects '001' (train), '01' (test), '1' (val) may be one person who is in several splits: make their names equal"
    )
    assert texts[0][1].startswith(expected)
    assert any(line.startswith("classes '001', '01', '1' may be the same, written") for line in texts[0])
