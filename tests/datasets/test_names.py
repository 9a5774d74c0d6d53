import os
import subprocess
import sys

from writers.tables import write

from mmkd_plugin.datasets.names import natural

LAYOUT = """
channels: [acc_x]
rate: 50
label: activity
subject: person
"""
# What every process prints of the same files: orders that come out of sets of a user's names.
PROGRAM = """
import sys
from mmkd_plugin.datasets import WindowDataset, audit
from mmkd_plugin.datasets.inspection import inspect_recordings
from mmkd_plugin.datasets.names import natural
root, store = sys.argv[1:]
print(sorted({'S1', 'S01', 'S001', 'S10', '1', '01', '001'}, key=natural))
options = dict(reader=dict(type='Tables', root=root), window=4, step=4, store=store)
for protocol in (dict(type='LeaveOneSubjectOut', fold=1), dict(type='GroupedKFold', k=3), dict(type='HoldOut')):
    splits = {split: WindowDataset(split=split, subjects=protocol, **options) for split in ('train', 'val', 'test')}
    print(splits['train'].metainfo['classes'], splits['train'].subjects, audit(splits).fingerprint())
print(inspect_recordings(splits['train'].data, '', 4, 4).subjects)
"""


def test_natural_order_is_total():
    names = ['1', '01', '001', '9', '10', 'S01', 'S1', 'S10', 'S9', '①', '1' * 5000]
    expected = ['001', '01', '1', '9', '10', '1' * 5000, 'S01', 'S1', 'S9', 'S10', '①']
    for given in (names, expected, expected[::-1]):
        assert sorted(given, key=natural) == expected


def test_names_that_tie_have_one_order_in_every_process(tmp_path):
    people, classes = ('1', '01', '001', 'S1', 'S01'), ('1', '01', '001')
    rows = [
        [i + 10 * p + 1000 * k, name, who] for p, who in enumerate(people) for k, name in enumerate(classes) for i in range(8)
    ]
    write(tmp_path / 'data', rows, header='acc_x,activity,person', layout=LAYOUT)
    processes = [
        subprocess.Popen(
            [sys.executable, '-c', PROGRAM, str(tmp_path / 'data'), str(tmp_path / seed)],
            env={**os.environ, 'PYTHONHASHSEED': seed},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for seed in '0123'
    ]
    outputs = [process.communicate() for process in processes]
    assert [process.returncode for process in processes] == [0] * 4, outputs[0][1]
    assert len({printed for printed, _ in outputs}) == 1, outputs
    assert "['001', '01', '1', 'S001', 'S01', 'S1', 'S10']" in outputs[0][0]
    assert "('001', '01', '1', 'S01', 'S1')" in outputs[0][0]
