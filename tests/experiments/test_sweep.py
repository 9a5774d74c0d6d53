import json
import subprocess
import sys

import pytest
from helpers import ROOT, call

from mmkd_plugin.apis import find_network, format_table
from mmkd_plugin.experiments import markdown_table, plan_runs, read_records, run_sweep

SHARES = {'accuracy': 0.5, 'macro_f1': 0.25}


def row(name, role, params, best, last, sha256=None):
    return dict(name=name, role=role, params=params, sha256=sha256, test=dict(best=best, last=last))


def record(name, seed, accuracy, *more, key='k'):
    student = row('student', 'student', 1234, {'accuracy': accuracy, 'macro_f1': accuracy / 2, 'mine/score': 7.0}, SHARES)
    return {'name': name, 'key': key, 'seed': seed, 'result': {'networks': [*more, student]}}


def test_a_table_by_hand():
    teacher = row('sig', 'teacher', 99, {'accuracy': 0.75, 'macro_f1': 0.7}, None, 'abc')
    rows = markdown_table([record('kd', 0, 0.6, teacher), record('kd', 1, 0.8, teacher), record('at', 0, 0.9)]).splitlines()
    assert rows[2] == '| teacher sig | 99 | 1 | 75.00 | 70.00 | - | - |'
    assert rows[3] == '| kd | 1,234 | 2 | 70.00 ± 14.14 | 35.00 ± 7.07 | 50.00 ± 0.00 | 25.00 ± 0.00 |'
    assert rows[4] == '| at | 1,234 | 1 | 90.00 | 45.00 | 50.00 | 25.00 |'


def test_a_table_says_which_classes_the_test_lacks():
    lacking = record('kd', 1, 0.8)
    lacking['result']['absent'] = ['run']
    assert markdown_table([record('kd', 0, 0.6), lacking]).splitlines()[-2:] == [
        '',
        'Without a test window, and left out of macro-F1: run.',
    ]


def test_a_table_says_what_the_doctor_has_found():
    faulty = record('kd', 1, 0.8)
    faulty['result']['faults'] = ["teacher 'gaf' is at chance level"]
    assert markdown_table([record('kd', 0, 0.6), faulty]).splitlines()[-4:] == [
        '',
        'The doctor found:',
        '',
        "- kd, seed 1: teacher 'gaf' is at chance level",
    ]


def test_two_configs_of_one_name_are_told_apart():
    rows = markdown_table([record('kd', 0, 0.6, key='first0'), record('kd', 0, 0.8, key='second')]).splitlines()
    assert [row.split('|')[1].strip() for row in rows[2:]] == ['kd (first0)', 'kd (second)']


def test_the_plan_is_configs_times_seeds_and_a_changed_option_is_another_run():
    config = str(ROOT / 'configs' / 'kd.py')
    runs = plan_runs([config], [0, 1])
    assert [(run.config, run.seed) for run in runs] == [(config, 0), (config, 1)]
    others = [
        plan_runs([config], [0], ['--cfg-options', 'train_cfg.max_epochs=1']),
        plan_runs([config], [0], ['--data', 'hapt'], data='hapt'),
        plan_runs([config], [0], ['--data', 'hapt', '--fold', '1'], data='hapt'),
    ]
    assert runs[0].key == runs[1].key
    assert len({runs[0].key, *(run.key for (run,) in others)}) == 4
    assert runs[0].name == 'kd'
    assert [run.name for (run,) in others] == ['kd', 'hapt/kd', 'hapt/kd']


def test_configs_of_a_sweep_have_their_path_as_a_name(tmp_path):
    mine = tmp_path / 'mine.py'
    mine.write_text("_base_ = 'mmkd_plugin::configs/kd.py'\n")
    assert [run.name for run in plan_runs(['supervised/student', str(mine)], [0])] == ['supervised/student', 'mine']
    with pytest.raises(FileNotFoundError, match=r'there is no config none\.py'):
        plan_runs(['none.py'], [0])


def test_lines_that_are_no_whole_record_are_named_and_left_out(tmp_path):
    path, said = tmp_path / 'runs.jsonl', []
    whole = [record('kd', 0, 0.6), record('kd', 1, 0.8)]
    first, second = (json.dumps(line).encode() for line in whole)
    strange = [
        b'',
        b'[1]',
        b'{"a": 1}',
        b'null',
        b'\xff\xfe',
        b'{"name": "kd", "key": "k", "seed": 0, "result": {"networks": []}}',
        b'1' * 5000,  # more digits than Python reads
    ]
    path.write_bytes(b'\n'.join([first, *strange, second, first[:90]]))
    assert read_records(path, said.append) == whole
    assert said == [f'{path}, line {n} is not the whole record of a run and is left out' for n in (3, 4, 5, 6, 7, 8, 10)]
    assert read_records(tmp_path / 'none.jsonl') == []


def test_a_torn_record_is_made_again(tmp_path, monkeypatch):
    """The trained run is there already: its folder holds a result."""
    (run,) = plan_runs([str(ROOT / 'configs' / 'kd.py')], [0])
    done = record(run.name, 0, 0.5, key=run.key)
    work_dir = tmp_path / f'{run.name}-{run.key}' / 'seed0'
    work_dir.mkdir(parents=True)
    (work_dir / 'result.json').write_text(json.dumps(done['result']))
    (tmp_path / 'runs.jsonl').write_text(json.dumps(done)[:-20])
    monkeypatch.setattr(sys, 'executable', 'true')  # nothing is trained
    said = []
    assert run_sweep([run], tmp_path, said.append) == []
    assert said[0].endswith('runs.jsonl, line 1 is not the whole record of a run and is left out')
    assert said[1].startswith('[1/1] kd seed 0: 50.00 best')
    (again,) = read_records(tmp_path / 'runs.jsonl')
    assert (again['key'], again['result']) == (run.key, done['result'])
    assert run_sweep([run], tmp_path, said.append) == []
    assert said[-1] == '[1/1] kd seed 0: finished before'


def test_importing_the_experiments_does_not_import_torch():
    code = (
        'import sys, importlib.util, pathlib; '
        f'root = pathlib.Path({str(ROOT / "mmkd_plugin" / "experiments")!r}); '
        'spec = importlib.util.spec_from_file_location("experiments", root / "__init__.py"); '
        'module = importlib.util.module_from_spec(spec); sys.modules["experiments"] = module; spec.loader.exec_module(module); '
        'print("torch" in sys.modules)'
    )
    assert subprocess.run([sys.executable, '-c', code], capture_output=True, text=True).stdout.strip() == 'False'


def test_a_sweep_runs_skips_and_reports_what_fails(tmp_path):
    leaf = tmp_path / 'student.py'
    base = ROOT / 'configs' / 'basic_motions' / 'fam_kd.py'
    leaf.write_text(f'_base_ = {str(base)!r}\nmodel = dict(teachers=None, transfers=None)\n')
    broken = tmp_path / 'broken.py'
    broken.write_text(f"_base_ = {str(leaf)!r}\nmodel = dict(deployed='nobody')\n")
    options = ('--folder', tmp_path / 'sweep', '--seeds', '1', '--quick')
    first = call('sweep', leaf, *options, folder=tmp_path)
    assert first.returncode == 0, first.stderr[-2000:]
    (run,) = records = read_records(tmp_path / 'sweep' / 'runs.jsonl')
    assert (run['seed'], run['arguments'], run['result']['n_test'], run['result']['quick']) == (1, ['--quick'], 40, True)
    assert 'a first look (--quick)' in format_table(run['result'])
    best, last = (find_network(run['result'])['test'][which]['accuracy'] for which in ('best', 'last'))
    assert f'[1/1] student seed 1: {100 * best:.2f} best, {100 * last:.2f} last' in first.stdout
    again = call('sweep', leaf, broken, *options, folder=tmp_path)
    assert again.returncode == 1
    assert again.stdout.count('finished before') == 1
    assert again.stdout.count('FAILED, see') == 1
    assert 'error: 1 of 2 runs failed' in again.stderr
    assert read_records(tmp_path / 'sweep' / 'runs.jsonl') == records
    assert (tmp_path / 'sweep' / 'table.md').read_text().strip() in again.stdout


def test_further_learners_and_detectors_have_rows_and_other_figures_a_table_of_their_own():
    fused = row('fusion', 'learner', 5000, {'accuracy': 0.7, 'macro_f1': 0.6}, {'accuracy': 0.8, 'macro_f1': 0.5})
    scores = {'auroc': 0.9, 'auprc': 0.8, 'f1': 0.7}
    first, second = record('cam_kd', 0, 0.6), record('anomaly', 0, 0.9, key='d')
    first['result']['networks'].append(fused)
    second['result']['networks'].append(row('detector', 'detector', 7000, scores, scores))
    one, two = markdown_table([first, second]).split('\n\n')
    assert [row.split('|')[1].strip() for row in one.splitlines()[2:]] == ['cam_kd', 'cam_kd: fusion', 'anomaly']
    assert one.splitlines()[3] == '| cam_kd: fusion | 5,000 | 1 | 70.00 | 60.00 | 80.00 | 50.00 |'
    assert two.splitlines() == [
        '| network | parameters | seeds | auroc, best | auprc, best | f1, best | auroc, last | auprc, last | f1, last |',
        '|---|---:|---:|---:|---:|---:|---:|---:|---:|',
        '| anomaly: detector | 7,000 | 1 | 90.00 | 80.00 | 70.00 | 90.00 | 80.00 | 70.00 |',
    ]
