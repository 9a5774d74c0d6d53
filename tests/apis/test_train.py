"""Whole runs through the real runner, on BasicMotions."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from mmengine.config import Config

from mmkd_plugin.apis import check_config, evaluate_checkpoint, format_table, load_config, train
from mmkd_plugin.apis.teachers import teacher_run_config
from mmkd_plugin.fileio import load_checkpoint

ROOT = Path(__file__).parents[2]
LEAF = ROOT / 'configs' / 'basic_motions' / 'fam_kd.py'


@pytest.fixture(scope='module')
def teacher_dir(tmp_path_factory):
    return tmp_path_factory.mktemp('teachers')


def config(tmp_path, teacher_dir, leaf=LEAF, **more):
    options = {'train_cfg.max_epochs': 2, 'teacher_dir': str(teacher_dir), **more.pop('options', {})}
    return load_config(leaf, work_dir=str(tmp_path / 'run'), cfg_options=options, **more)


@pytest.fixture(scope='module')
def run(tmp_path_factory, teacher_dir):
    tmp_path = tmp_path_factory.mktemp('first')
    cfg = config(tmp_path, teacher_dir)
    return cfg, train(cfg)


def test_a_run_trains_its_teachers_and_reports(run, teacher_dir):
    cfg, result = run
    assert json.loads(Path(cfg.work_dir, 'result.json').read_text()) == result
    assert (result['classes'], result['n_test']) == (4, 40)
    assert set(result['teachers']) == {'sig', 'gaf', 'pi'}
    for row in [result['student'], *result['teachers'].values()]:
        for which in ('best', 'last'):
            assert all(0 <= row['test'][which][key] <= 1 for key in ('accuracy', 'macro_f1'))
        assert row['params'] > 0
        assert Path(row['checkpoint']).is_file()
    assert len(list(teacher_dir.glob('*-*/result.json'))) == 3
    table = format_table(result)
    assert result['student']['checkpoint'] in table
    assert f'{100 * result["student"]["test"]["last"]["accuracy"]:.2f}' in table


def test_a_second_run_reuses_the_teachers_and_gives_the_same_numbers(run, teacher_dir, tmp_path):
    stamps = {p: p.stat().st_mtime_ns for p in teacher_dir.rglob('*.pth')}
    _, first = run
    second = train(config(tmp_path, teacher_dir))
    assert {p: p.stat().st_mtime_ns for p in teacher_dir.rglob('*.pth')} == stamps
    assert second['teachers'] == first['teachers']
    assert second['student']['test'] == first['student']['test']
    states = [torch.load(r['student']['checkpoint'], weights_only=True)['state_dict'] for r in (first, second)]
    assert all(torch.equal(states[0][key], states[1][key]) for key in states[0])


def test_the_exported_student_holds_no_teacher_and_is_tested_again(run):
    cfg, result = run
    checkpoint = torch.load(result['student']['checkpoint'], weights_only=True)
    assert {key.split('.')[0] for key in checkpoint['state_dict']} == {'backbone', 'head'}
    assert checkpoint['meta']['view'] == 'sig'
    assert checkpoint['meta']['dataset_meta']['classes']
    assert evaluate_checkpoint(cfg, result['student']['checkpoint']) == result['student']['test']['best']
    newest = sorted(Path(cfg.work_dir).glob('epoch_*.pth'))[-1]
    assert evaluate_checkpoint(cfg, newest) == result['student']['test']['last']


def test_a_finished_run_that_is_resumed_gives_the_same_result(run, teacher_dir):
    cfg, result = run
    again = cfg.copy()
    again.resume = True
    resumed = train(again)
    # The exported file names its config, which now says resume=True: another file, the same network.
    assert resumed['student'].pop('sha256') != result['student']['sha256']
    assert resumed['student'] == {key: value for key, value in result['student'].items() if key != 'sha256'}
    assert resumed['teachers'] == result['teachers']


def test_a_work_dir_that_was_used_before_does_not_lend_its_best_checkpoint(run, teacher_dir, tmp_path):
    """Planted beside a fresh run: the best checkpoint of another run, with a score that cannot be beaten."""
    first_cfg, _ = run
    (other,) = Path(first_cfg.work_dir).glob('best_*.pth')
    planted = torch.load(other, weights_only=False)
    planted['message_hub']['runtime_info']['best_score'] = 101.0
    cfg = config(tmp_path, teacher_dir, options={'model.transfers': None, 'model.teachers': None})
    Path(cfg.work_dir).mkdir()
    torch.save(planted, Path(cfg.work_dir, 'best_accuracy_top1_epoch_99.pth'))
    result = train(cfg)
    (own,) = (p for p in Path(cfg.work_dir).glob('best_*.pth') if '99' not in p.name)
    assert evaluate_checkpoint(cfg, own) == result['student']['test']['best']
    state = torch.load(own, weights_only=False)['state_dict']
    exported = torch.load(result['student']['checkpoint'], weights_only=True)['state_dict']
    assert all(torch.equal(state[f'learners.student.{key}'], value) for key, value in exported.items())


def test_resuming_from_another_model_is_refused(run, teacher_dir, tmp_path):
    _, result = run
    newest = str(sorted(Path(result['student']['checkpoint']).parent.glob('epoch_*.pth'))[-1])
    options = {'model.learners.student.network.backbone.widen_factor': 2}
    with pytest.raises(ValueError, match='does not fit the network'):
        train(config(tmp_path, teacher_dir, options=options, resume=newest))


def test_a_teacher_given_as_a_checkpoint_is_evaluated(run, teacher_dir, tmp_path):
    _, first = run
    options = {'model.teachers.gaf.checkpoint': first['teachers']['gaf']['checkpoint'], 'train_cfg.max_epochs': 1}
    leaf = tmp_path / 'one_teacher.py'
    leaf.write_text(
        f'_base_ = {str(LEAF)!r}\n'
        "model = dict(teachers=dict(sig=None, pi=None), transfers=dict(fam_sig=None, fam_pi=None, aver=dict(source=['gaf.logits'])))\n"
    )
    result = train(config(tmp_path, teacher_dir, leaf, options=options))
    assert list(result['teachers']) == ['gaf']
    assert result['teachers']['gaf']['test'] == {'best': first['teachers']['gaf']['test']['best'], 'last': None}
    # The test of the teacher is a run of its own in the same folder; the config of the training is still there.
    assert 'gaf' in Config.fromfile(tmp_path / 'run' / 'one_teacher.py').model.teachers


def test_a_teacher_that_knows_the_test_subjects_is_refused(run, teacher_dir, tmp_path):
    _, first = run
    swapped = dict(train=['train_?[01245689]'], val=['train_?3', 'test_*'], test=['train_?7'])
    moved = dict(train=['test_*'], val=['train_?3'], test=['train_?[01245679]'])
    options = {'model.teachers.gaf.checkpoint': first['teachers']['gaf']['checkpoint']}
    for split in ('train', 'val', 'test'):
        options[f'{split}_dataloader.dataset.subjects'] = moved
    with pytest.raises(ValueError, match="teacher 'gaf' has learned from test subject.s. train_00, train_01"):
        check_config(config(tmp_path, teacher_dir, options=options))
    for split in ('train', 'val', 'test'):
        options[f'{split}_dataloader.dataset.subjects'] = swapped
    windows = check_config(config(tmp_path, teacher_dir, options=options))
    assert windows.counts() == {'test': 4, 'train': 32, 'val': 44}


def test_the_hash_changes_with_the_data_and_the_settings_that_reach_a_teacher(teacher_dir, tmp_path):
    def folder(**options):
        cfg = config(tmp_path, teacher_dir, options=options)
        return teacher_run_config(cfg, 'sig', cfg.model.teachers.sig).work_dir

    subjects = {f'{split}_dataloader.dataset.subjects.val': ['train_?3'] for split in ('train', 'val', 'test')}
    changed = [
        folder(),
        folder(**{'train_cfg.max_epochs': 3}),
        folder(**{'optim_wrapper.optimizer.lr': 0.01}),
        folder(**{'data_preprocessor.shape': (6, 90)}),
        folder(**subjects),
    ]
    assert len(set(changed)) == len(changed)
    # What is about the student, or about where things are written, leaves the teacher as it was.
    same = {folder(), folder(**{'model.transfers.aver.weight': 3.0}), folder(log_level='DEBUG'), folder(work_dir='elsewhere')}
    same.add(folder(**{'data_preprocessor.views.gaf.image_size': 16}))
    assert len(same) == 1


def test_two_runs_that_start_at_once_train_a_teacher_once(tmp_path):
    leaf = tmp_path / 'kd.py'
    leaf.write_text(
        f'_base_ = {str(LEAF)!r}\n'
        'model = dict(teachers=dict(gaf=None, pi=None), transfers=dict(fam_gaf=None, fam_pi=None, fam_sig=None, '
        "aver=dict(source=['sig.logits'])))\n"
    )
    command = [sys.executable, str(ROOT / 'tools' / 'train.py'), str(leaf), '--cfg-options', 'train_cfg.max_epochs=1']
    command += [f'teacher_dir={tmp_path / "teachers"}', '--work-dir']
    runs = [
        subprocess.Popen([*command, str(tmp_path / name)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for name in ('a', 'b')
    ]
    logs = [process.communicate(timeout=300)[0] for process in runs]
    assert [process.returncode for process in runs] == [0, 0], [log[-2000:] for log in logs]
    said = ''.join(logs)
    assert said.count("teacher 'sig': training") == 1
    assert said.count("teacher 'sig': reusing") == 1
    results = [json.loads((tmp_path / name / 'result.json').read_text()) for name in ('a', 'b')]
    assert results[0]['teachers'] == results[1]['teachers']
    assert results[0]['student']['test'] == results[1]['student']['test']


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        ({'model.transfers.fam_gaf.source': 'gfa.stages'}, "there is no network 'gfa'"),
        ({'model.transfers.fam_gaf.source': 'gaf.stages.5'}, 'has 3 stages'),
        ({'model.learners.student.view': 'mtf'}, "there is no view 'mtf'"),
        ({'model.teachers.gaf.config': 'configs/teachers/none.py'}, 'there is no config configs/teachers/none.py'),
        ({'model.teachers.gaf.checkpoint': 'none.pth'}, 'there is no checkpoint none.pth'),
        ({'val_dataloader.dataset.subjects.val': []}, 'val'),
        ({'test_dataloader.dataset.subjects.test': ['train_00']}, 'train_00'),
        ({'data_preprocessor.num_classes': 5}, 'num_classes is 5, the data have 4'),
        ({'test_dataloader': None}, 'the config has no test_dataloader'),
        ({'data_preprocessor.shape': (6, 90)}, 'data_preprocessor.shape is (6, 90), the windows have (6, 100)'),
        ({'optim_wrapper.type': 'AmpOptimWrapper'}, 'automatic mixed precision needs an accelerator'),
    ],
)
def test_a_wrong_config_ends_the_command_with_one_message_and_writes_nothing(options, message, tmp_path, teacher_dir):
    cfg = config(tmp_path, tmp_path / 'teachers', options=options)
    with pytest.raises((ValueError, KeyError, FileNotFoundError)) as error:
        check_config(cfg)
    assert message in str(error.value)
    assert list(tmp_path.iterdir()) == []


def test_the_command_line_prints_one_error_and_exits_non_zero(tmp_path):
    command = [
        sys.executable,
        str(ROOT / 'tools' / 'train.py'),
        str(LEAF),
        '--work-dir',
        str(tmp_path / 'run'),
        '--cfg-options',
    ]
    done = subprocess.run([*command, 'model.transfers.fam_gaf.source=gfa.stages'], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("error: transfer 'fam_gaf': address 'gfa.stages': there is no network 'gfa'")
    assert 'Traceback' not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_two_processes_train_and_report(tmp_path):
    leaf = tmp_path / 'student.py'
    leaf.write_text(f'_base_ = {str(LEAF)!r}\nmodel = dict(teachers=None, transfers=None)\n')
    command = ['bash', str(ROOT / 'tools' / 'dist_train.sh'), str(leaf), '2', '--work-dir', str(tmp_path / 'run')]
    command += ['--cfg-options', 'train_cfg.max_epochs=1']
    environment = {**os.environ, 'PATH': f'{Path(sys.executable).parent}:{os.environ["PATH"]}', 'OMP_NUM_THREADS': '1'}
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    result = json.loads((tmp_path / 'run' / 'result.json').read_text())
    assert result['n_test'] == 40
    assert done.stdout.count('student checkpoint:') == 1


def test_a_run_that_diverges_ends_without_a_table(tmp_path, teacher_dir):
    options = {'model.transfers': None, 'model.teachers': None, 'optim_wrapper.optimizer.lr': 1e12, 'train_cfg.max_epochs': 10}
    with pytest.raises(
        FloatingPointError, match='the run has diverged by iteration 10: loss is (nan|inf), loss_student is (nan|inf)'
    ):
        train(config(tmp_path, teacher_dir, options=options))
    assert not (tmp_path / 'run' / 'result.json').exists()


def test_a_compiled_student_is_the_same_student(teacher_dir, tmp_path):
    options = {'model.transfers': None, 'model.teachers': None, 'train_cfg.max_epochs': 2}
    plain = config(tmp_path, teacher_dir, options=options)
    compiled = config(tmp_path, teacher_dir, options=options)
    plain.work_dir = str(tmp_path / 'plain')
    compiled.model.learners.student.compile = dict(backend='aot_eager')  # traced, differentiated ahead of time, not lowered
    train(plain)
    train(compiled)
    a, b = (load_checkpoint(Path(cfg.work_dir, 'epoch_2.pth'))['state_dict'] for cfg in (plain, compiled))
    assert a.keys() == b.keys()
    for name in a:
        torch.testing.assert_close(a[name], b[name], rtol=1e-3, atol=1e-5)


def test_workers_live_on_between_epochs(tmp_path, teacher_dir):
    loader = config(tmp_path, teacher_dir, options={'train_dataloader.num_workers': 2}).train_dataloader
    assert loader.persistent_workers
    assert loader.pin_memory == torch.cuda.is_available()
    assert not config(tmp_path, teacher_dir).train_dataloader.persistent_workers
    given = {'train_dataloader.num_workers': 2, 'train_dataloader.persistent_workers': False}
    assert not config(tmp_path, teacher_dir, options=given).train_dataloader.persistent_workers
