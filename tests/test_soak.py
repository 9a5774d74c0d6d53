"""The soak: some of its trials in every suite, and a planted fault that its trials find."""

import importlib
import itertools
import json
import os
import traceback

import pytest
from forks import can_fork, run_program
from soaking.layer import STAGES, Layer, Strike

from mmkd_plugin.fileio import write_atomically

pytestmark = pytest.mark.skipif(not can_fork(), reason='trials are forks')
SOAK = 'import sys, soak\nsys.exit(soak.main(sys.argv[1:]))'
# Files are written under their own names.
PLANTED = """
import mmkd_plugin.datasets.store as store

def write(data, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, 'wb') as file:
        file.write(data) if isinstance(data, bytes) else data(file)

store.write_atomically = write
"""


def entries_of(folder):
    return [json.loads(line) for line in (folder / 'journal.jsonl').read_text().splitlines()]


def in_a_fork(*calls):
    child = os.fork()
    if child == 0:
        code = 1
        try:
            for call in calls:
                call()
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_every_operation_survives_and_every_fault_is_survived(tmp_path):
    done = run_program(SOAK, '--short', '--folder', tmp_path)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-5000:]
    entries = entries_of(tmp_path)
    assert {entry['operation'] for entry in entries} == {
        *('convert', 'teachers', 'train', 'cache', 'sweep', 'search', 'export', 'stream')
    }
    assert len({entry['fault'] for entry in entries}) == len(entries) == 12
    assert f'survived {sum(entry["seconds"] > 0 for entry in entries)}, lost 0' in done.stdout


@pytest.mark.soak
@pytest.mark.parametrize('seed', [1, 2])
def test_a_hundred_trials_lose_nothing(seed, tmp_path):
    done = run_program(SOAK, '--trials', 100, '--hours', 9, '--seed', seed, '--folder', tmp_path)
    assert done.returncode == 0, done.stdout[-9000:] + done.stderr[-5000:]
    assert 'lost 0' in done.stdout


def test_a_planted_fault_is_found_and_a_trial_can_be_made_again(tmp_path):
    done = run_program(PLANTED + SOAK, '--only', 'convert,SIGKILL', '--trials', 6, '--folder', tmp_path)
    assert done.returncode == 1, done.stdout[-5000:] + done.stderr[-5000:]
    lost = [entry for entry in entries_of(tmp_path) if entry['faults']]
    assert 'half-written: work_dirs/stores/' in lost[0]['faults'][0]
    assert (tmp_path / 'lost' / str(lost[0]['number']) / 'here' / 'work_dirs' / 'stores').is_dir()
    again = run_program(SOAK, '--replay', lost[0]['number'], '--folder', tmp_path)
    assert again.returncode == 0, again.stdout[-5000:] + again.stderr[-5000:]
    assert 'survived' in again.stdout


def test_a_file_is_the_old_or_the_new_one_at_every_point_of_a_write(tmp_path):
    for name in itertools.chain(*STAGES.values()):
        importlib.import_module(name.partition(':')[0])  # once, and not in each fork
    (tmp_path / 'there').mkdir()
    path, counts = tmp_path / 'there' / 'a', []
    for number in range(1, 9):
        for when in ('before', 'half', 'after'):
            for left in path.parent.iterdir():
                left.unlink()
            path.write_bytes(b'old')
            layer = Layer(path.parent, tmp_path / 'events', Strike(number, when, 'signal', 9))
            code = in_a_fork(layer.enter, lambda: write_atomically(b'new' * 999, path))
            assert code in (0, -9), (number, when)
            assert path.read_bytes() == b'new' * 999 if code == 0 else path.read_bytes() in (b'old', b'new' * 999)
            counts.append((number, when, code))
    struck = [number for number, when, code in counts if code]
    # An mkdir of what is there and an unlink of what is not have no end.
    assert struck == [1, 2, 3, 3, 4, 4, 4, 5, 5, 6, 6, 7]  # mkdir, unlink, open, write, fsync, replace, unlink
