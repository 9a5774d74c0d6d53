import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from helpers import ROOT, call
from writers.records import CLASSES, respond, row, windows

from mmkd_plugin.apis import find_network, format_table, read_predictions, read_result
from mmkd_plugin.experiments import plan_runs, read_records, record_of, run_sweep
from mmkd_plugin.fileio import write_predictions, write_result


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


def write_run(folder, run, right):
    """The folder of a finished run, as training leaves it, of a student that is right on some of 20 windows."""
    labels, subjects = windows(right)
    test = dict(accuracy=sum(right.values()) / len(labels), macro_f1=0.5)
    origin = dict(
        config=run.config,
        method=run.name,
        data='watch',
        fold=None,
        seed=run.seed,
        fingerprint='f',
        resolved='{}',
        class_names=CLASSES,
    )
    origin.update(subjects={'test': list(right)}, code={'version': '1'}, stack={}, process={'seconds': 1.0})
    result = dict(classes=2, n_test=len(labels), networks=[row('student', 'student', test)], run=origin, quick=False, faults=[])
    result['windows'] = dict(sha256='w', test=len(labels))
    write_result(result, folder)
    logits = respond(labels, subjects, right)
    arrays = {'window_ids': np.arange(len(labels)).astype(str), 'labels': labels, 'subjects': subjects}
    write_predictions({**arrays, 'student/best': logits, 'student/last': logits}, folder)


def test_a_torn_record_is_made_again(tmp_path, monkeypatch):
    """The trained run is there already: its folder holds a result."""
    (run,) = plan_runs([str(ROOT / 'configs' / 'kd.py')], [0])
    work_dir = tmp_path / f'{run.name}-{run.key}' / 'seed0'
    write_run(work_dir, run, {'1': 10, '2': 10})
    whole = record_of(work_dir, run.key)
    (tmp_path / 'runs.jsonl').write_text(json.dumps(whole)[:-20])
    monkeypatch.setattr(sys, 'executable', 'true')  # nothing is trained
    said = []
    assert run_sweep([run], tmp_path, said.append) == []
    assert said[0].endswith('runs.jsonl, line 1 is not the whole record of a run and is left out')
    assert said[1].startswith('[1/1] kd seed 0: 50.00 best')
    assert read_records(tmp_path / 'runs.jsonl') == [whole]
    assert run_sweep([run], tmp_path, said.append) == []
    assert said[-1] == '[1/1] kd seed 0: finished before'


@pytest.mark.parametrize(
    ('damage', 'message'),
    [
        (
            lambda folder: (folder / 'result.json').write_text('{"networks": []}'),
            'is of an older mmkd_plugin: its result does not say',
        ),
        (lambda folder: (folder / 'predictions.npz').write_bytes(b'x'), 'predictions.npz is damaged'),
        (lambda folder: cut_windows(folder), 'result.json is of 40 windows and predictions.npz of 39; they are not of one run'),
    ],
)
def test_a_folder_that_holds_no_whole_run_has_no_record(damage, message, tmp_path):
    (run,) = plan_runs([str(ROOT / 'configs' / 'kd.py')], [0])
    write_run(tmp_path, run, {'1': 10, '2': 10})
    damage(tmp_path)
    with pytest.raises(ValueError, match=message):
        record_of(tmp_path)


def cut_windows(folder):
    write_predictions({name: values[:-1] for name, values in read_predictions(folder).items()}, folder)


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
    work_dir = Path(run['work_dir'])
    result = read_result(work_dir)
    assert (run['method'], run['data'], run['fold'], run['seed'], run['quick']) == ('student', 'basic_motions', None, 1, True)
    assert run['ended'] == {'state': 'finished', 'reason': None}
    assert run['fingerprints']['data'] == result['windows']['sha256']
    assert (len(run['subjects']['test']), run['windows']) == (40, {'train': 32, 'val': 8, 'test': 40})
    assert run['process']['seconds'] > 0
    assert run['process']['peak_memory'] > 2**20
    assert json.loads(run['config']['resolved'])['train_cfg']['max_epochs'] == 2
    (student,) = run['networks']
    assert student['macs'] > student['params'] > 0
    for which in ('best', 'last'):
        measured, figures = find_network(result)['test'][which], student['test'][which]
        assert figures['accuracy'] == pytest.approx(measured['accuracy'])
        assert figures['macro_f1'] == pytest.approx(measured['macro_f1'], abs=1e-6)  # the split has all classes
        assert [(subject['subject'], subject['n']) for subject in figures['subjects'][:2]] == [('test_00', 1), ('test_01', 1)]
    assert 'a first look (--quick)' in format_table(result)
    best, last = (find_network(result)['test'][which]['accuracy'] for which in ('best', 'last'))
    assert f'[1/1] student seed 1: {100 * best:.2f} best, {100 * last:.2f} last' in first.stdout
    report = call('report', tmp_path / 'sweep', folder=tmp_path)
    assert report.returncode == 0, report.stderr
    assert '1 of 1 runs are first looks (--quick): their figures are no result' in report.stdout
    again = call('sweep', leaf, broken, *options, folder=tmp_path)
    assert again.returncode == 1
    assert again.stdout.count('finished before') == 1
    assert again.stdout.count('FAILED, see') == 1
    assert 'error: 1 of 2 runs failed' in again.stderr
    assert read_records(tmp_path / 'sweep' / 'runs.jsonl') == records
    assert (tmp_path / 'sweep' / 'table.md').read_text().strip() in again.stdout
