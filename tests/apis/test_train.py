"""Whole runs through the real runner, on BasicMotions."""

import copy
import multiprocessing
import os
import shutil
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers import ROOT, TEACHERS, call
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from sklearn.metrics import f1_score

from mmkd_plugin.apis import (
    check_config,
    evaluate_checkpoint,
    find_network,
    format_table,
    load_config,
    predict,
    read_predictions,
    read_result,
    train,
)
from mmkd_plugin.apis.teachers import prepare_teachers
from mmkd_plugin.fileio import file_hash, load_checkpoint
from mmkd_plugin.models.distillers import load_network

LEAF = ROOT / 'configs' / 'basic_motions' / 'fam_kd.py'
ALONE = {'model.transfers': None, 'model.teachers': None}


def config(tmp_path, teacher_dir, leaf=LEAF, **more):
    options = {'train_cfg.max_epochs': 1, **TEACHERS, 'teacher_dir': str(teacher_dir), **more.pop('options', {})}
    return load_config(leaf, work_dir=str(tmp_path / 'run'), cfg_options=options, **more)


def rows_of(result, role):
    return {row['name']: row for row in result['networks'] if row['role'] == role}


@pytest.fixture(scope='module')
def run(tmp_path_factory, teacher_dir):
    tmp_path = tmp_path_factory.mktemp('first')
    cfg = config(tmp_path, teacher_dir)
    return cfg, train(cfg)


def test_a_run_trains_its_teachers_and_gives_a_row_for_each_network(run, teacher_dir):
    cfg, result = run
    assert read_result(cfg.work_dir) == result
    assert (result['classes'], result['n_test']) == (4, 40)
    assert [(row['role'], row['name'], row['view']) for row in result['networks']] == [
        ('teacher', 'sig', 'sig'),
        ('teacher', 'gaf', 'gaf'),
        ('teacher', 'pi', 'pi'),
        ('student', 'student', 'sig'),
    ]
    for row in result['networks']:
        assert list(row) == ['name', 'role', 'view', 'params', 'macs', 'checkpoint', 'sha256', 'val', 'test']
        for metrics in (row['val'], row['test']['best'], row['test']['last']):
            assert list(metrics) == ['accuracy', 'macro_f1']
            assert all(0 <= share <= 1 for share in metrics.values())
        assert row['params'] > 0
        assert file_hash(row['checkpoint']) == row['sha256']
        folder = Path(row['checkpoint']).parent
        assert folder == Path(cfg.work_dir) or folder.parent == teacher_dir
        own = find_network(read_result(folder))  # a teacher's row is that of the student of its own run
        assert {key: own[key] for key in own if key not in ('name', 'role')} == {
            key: row[key] for key in own if key not in ('name', 'role')
        }
    student = find_network(result)
    validation = torch.load(student['checkpoint'], weights_only=True)['meta']['validation']
    assert validation == {'metric': 'accuracy/top1', 'value': pytest.approx(100 * student['val']['accuracy'])}
    table = format_table(result)
    assert student['checkpoint'] in table
    assert f'{100 * student["test"]["last"]["accuracy"]:.2f}' in table


def test_the_logits_give_the_metrics_of_every_row(run):
    """Computed from ``predictions.npz`` alone, by scikit-learn."""
    cfg, result = run
    arrays = read_predictions(cfg.work_dir)
    names = [row['name'] for row in result['networks']]
    assert set(arrays) == {
        'window_ids',
        'subjects',
        'labels',
        *(f'{name}/{which}' for name in names for which in ('best', 'last')),
    }
    assert arrays['window_ids'][:2].tolist() == ['test_00:0', 'test_01:0']
    assert arrays['subjects'][:2].tolist() == ['test_00', 'test_01']
    assert len(set(arrays['window_ids'])) == 40
    for row in result['networks']:
        for which in ('best', 'last'):
            logits = arrays[f'{row["name"]}/{which}']
            assert (logits.shape, logits.dtype) == ((40, 4), np.float32)
            predicted = logits.argmax(1)
            assert row['test'][which] == {
                'accuracy': pytest.approx((predicted == arrays['labels']).mean()),
                'macro_f1': pytest.approx(f1_score(arrays['labels'], predicted, average='macro'), abs=1e-6),
            }


def test_the_metrics_are_those_of_the_host_s_own_test_loop(run, tmp_path):
    """With metrics of a user beside them, which keep the host's names."""
    cfg, result = run
    cfg = copy.deepcopy(cfg)
    checkpoint = find_network(result)['checkpoint']
    more = dict(type='SingleLabelMetric', items=['precision', 'recall'], average=None, prefix='mine')
    cfg.test_evaluator = [*cfg.test_evaluator, more]
    student = dict(view='sig', network=cfg.model.learners.student.network)
    cfg.model = dict(type='Distiller', learners=dict(student=student))
    cfg.work_dir, cfg.experiment_name, cfg.custom_hooks = str(tmp_path), 'test loop', None
    for key in (
        'train_dataloader',
        'train_cfg',
        'optim_wrapper',
        'param_scheduler',
        'val_dataloader',
        'val_cfg',
        'val_evaluator',
    ):
        cfg[key] = None
    runner = Runner.from_cfg(cfg)
    load_network(runner.model.learners.student, checkpoint)
    expected = runner.test()
    measured = evaluate_checkpoint(cfg, checkpoint)
    assert measured['accuracy'] == expected['accuracy/top1'] / 100
    assert measured['macro_f1'] == expected['single-label/f1-score'] / 100
    assert {name: value for name, value in measured.items() if '/' in name} == {
        f'mine/{item}_classwise': expected[f'mine/{item}_classwise'] for item in ('precision', 'recall')
    }
    predictions = predict(cfg, checkpoint)
    np.testing.assert_array_equal(predictions.logits.numpy(), read_predictions(Path(checkpoint).parent)['student/best'])
    assert (len(predict(cfg, checkpoint, split='test')), predictions.logits.requires_grad) == (40, False)


def test_a_second_run_reuses_the_teachers_and_gives_the_same_numbers(run, teacher_dir, tmp_path):
    stamps = {p: p.stat().st_mtime_ns for p in teacher_dir.rglob('*.pth')}
    cfg, first = run
    second = train(config(tmp_path, teacher_dir))
    assert {p: p.stat().st_mtime_ns for p in teacher_dir.rglob('*.pth')} == stamps
    assert rows_of(second, 'teacher') == rows_of(first, 'teacher')
    assert find_network(second)['test'] == find_network(first)['test']
    states = [torch.load(find_network(r)['checkpoint'], weights_only=True)['state_dict'] for r in (first, second)]
    assert all(torch.equal(states[0][key], states[1][key]) for key in states[0])
    arrays = [read_predictions(folder) for folder in (cfg.work_dir, tmp_path / 'run')]
    assert all(np.array_equal(arrays[0][key], arrays[1][key]) for key in arrays[0])


def test_the_exported_student_holds_no_teacher_and_is_tested_again(run):
    cfg, result = run
    row = find_network(result)
    checkpoint = torch.load(row['checkpoint'], weights_only=True)
    assert {key.split('.')[0] for key in checkpoint['state_dict']} == {'backbone', 'head'}
    assert checkpoint['meta']['view'] == 'sig'
    assert checkpoint['meta']['dataset_meta']['classes']
    assert evaluate_checkpoint(cfg, row['checkpoint']) == row['test']['best']
    newest = sorted(Path(cfg.work_dir).glob('epoch_*.pth'))[-1]
    assert evaluate_checkpoint(cfg, newest) == row['test']['last']


def test_a_finished_run_that_is_resumed_gives_the_same_result(run, teacher_dir):
    cfg, result = run
    again = copy.deepcopy(cfg)
    again.resume = True
    resumed, row = train(again), find_network(result)
    # The exported file names its config, which now says resume=True: another file, the same network.
    assert find_network(resumed)['sha256'] != row['sha256']
    assert {**find_network(resumed), 'sha256': None} == {**row, 'sha256': None}
    assert rows_of(resumed, 'teacher') == rows_of(result, 'teacher')


def test_a_work_dir_that_was_used_before_does_not_lend_its_best_checkpoint(run, teacher_dir, tmp_path):
    """Planted beside a fresh run: the best checkpoint of another run, with a score that cannot be beaten."""
    first_cfg, _ = run
    (other,) = Path(first_cfg.work_dir).glob('best_*.pth')
    planted = torch.load(other, weights_only=False)
    planted['message_hub']['runtime_info']['best_score'] = 101.0
    cfg = config(tmp_path, teacher_dir, options=ALONE)
    Path(cfg.work_dir).mkdir()
    torch.save(planted, Path(cfg.work_dir, 'best_accuracy_top1_epoch_99.pth'))
    row = find_network(train(cfg))
    (own,) = (p for p in Path(cfg.work_dir).glob('best_*.pth') if '99' not in p.name)
    assert evaluate_checkpoint(cfg, own) == row['test']['best']
    state = torch.load(own, weights_only=False)['state_dict']
    exported = torch.load(row['checkpoint'], weights_only=True)['state_dict']
    assert all(torch.equal(state[f'learners.student.{key}'], value) for key, value in exported.items())


def test_resuming_from_another_model_is_refused(run, teacher_dir, tmp_path):
    _, result = run
    newest = str(sorted(Path(find_network(result)['checkpoint']).parent.glob('epoch_*.pth'))[-1])
    options = {'model.learners.student.network.backbone.widen_factor': 2}
    with pytest.raises(
        ValueError,
        match=r'epoch_1.pth is a checkpoint of another run: model.learners.student.network.backbone.widen_factor was 1 there and is 2',
    ):
        train(config(tmp_path, teacher_dir, options=options, resume=newest))


def test_a_teacher_given_as_a_checkpoint_is_evaluated(run, teacher_dir, tmp_path):
    cfg, first = run
    teacher = find_network(first, 'teacher', 'gaf')
    options = {'model.teachers.gaf.checkpoint': teacher['checkpoint']}
    leaf = tmp_path / 'one_teacher.py'
    leaf.write_text(
        f'_base_ = {str(LEAF)!r}\n'
        "model = dict(teachers=dict(sig=None, pi=None), transfers=dict(fam_sig=None, fam_pi=None, aver=dict(source=['gaf.logits'])))\n"
    )
    result = train(config(tmp_path, teacher_dir, leaf, options=options))
    (row,) = rows_of(result, 'teacher').values()
    assert row == {**teacher, 'val': None, 'test': {'best': teacher['test']['best'], 'last': None}}
    arrays, known = read_predictions(tmp_path / 'run'), read_predictions(cfg.work_dir)
    np.testing.assert_allclose(arrays['gaf/best'], known['gaf/best'], rtol=1e-4, atol=1e-5)
    assert 'gaf/last' not in arrays


def test_a_teacher_that_knows_the_test_subjects_is_refused(run, teacher_dir, tmp_path):
    _, first = run
    swapped = dict(train=['train_?[01245689]'], val=['train_?3', 'test_*'], test=['train_?7'])
    moved = dict(train=['test_*'], val=['train_?3'], test=['train_?[01245679]'])
    options = {'model.teachers.gaf.checkpoint': find_network(first, 'teacher', 'gaf')['checkpoint']}
    for split in ('train', 'val', 'test'):
        options[f'{split}_dataloader.dataset.subjects'] = moved
    with pytest.raises(
        ValueError, match=r"teacher 'gaf' .*gaf_best.pth. has learned from test subject.s. train_00, train_01.*; --allow-seen"
    ):
        check_config(config(tmp_path, teacher_dir, options=options))
    for split in ('train', 'val', 'test'):
        options[f'{split}_dataloader.dataset.subjects'] = swapped
    windows = check_config(config(tmp_path, teacher_dir, options=options))
    assert windows.counts() == {'test': 4, 'train': 32, 'val': 44}


def test_two_runs_that_start_at_once_train_a_teacher_once(run, tmp_path):
    """Two processes; a training is replaced by a second's sleep and a copy, since it is the waiting that matters here."""
    trained = Path(find_network(run[1], 'teacher', 'sig')['checkpoint']).parent

    def slow_training(cfg, name, manifest):
        with open(tmp_path / 'trainings', 'a') as lines:
            lines.write(f'{os.getpid()}\n')
        time.sleep(1)
        shutil.copytree(trained, cfg.work_dir)

    def prepare():
        init_default_scope('mmkd_plugin')
        cfg = config(tmp_path, tmp_path / 'teachers')
        manifest = check_config(cfg)
        cfg.model.teachers = dict(sig=cfg.model.teachers.sig)
        prepare_teachers(cfg, slow_training, manifest)
        with open(tmp_path / 'checkpoints', 'a') as lines:
            lines.write(f'{cfg.model.teachers.sig.checkpoint}\n')

    processes = [multiprocessing.get_context('fork').Process(target=prepare) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(timeout=100)
    assert [process.exitcode for process in processes] == [0, 0]
    assert len((tmp_path / 'trainings').read_text().splitlines()) == 1
    first, second = (tmp_path / 'checkpoints').read_text().splitlines()
    assert first == second


def test_the_command_line_prints_one_error_and_exits_non_zero(tmp_path):
    options = ('--cfg-options', 'model.transfers.fam_gaf.source=gfa.stages')
    done = call('train', LEAF, '--work-dir', tmp_path / 'run', *options, folder=tmp_path)
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("error: transfer 'fam_gaf': address 'gfa.stages': there is no network 'gfa'")
    assert 'Traceback' not in done.stderr
    assert not (tmp_path / 'run').exists()
    assert not (tmp_path / 'work_dirs' / 'teachers').exists()


def test_a_run_that_diverges_ends_without_a_table(tmp_path, teacher_dir):
    options = {**ALONE, 'optim_wrapper.optimizer.lr': 1e12, 'train_cfg.max_epochs': 10}
    with pytest.raises(FloatingPointError, match='the run has diverged in the validation after iteration 2: pred_score is nan'):
        train(config(tmp_path, teacher_dir, options=options))
    assert not (tmp_path / 'run' / 'result.json').exists()


def test_a_compiled_student_is_the_same_student(teacher_dir, tmp_path):
    plain, compiled = (config(tmp_path, teacher_dir, options=ALONE) for _ in range(2))
    plain.work_dir = str(tmp_path / 'plain')
    compiled.model.learners.student.compile = dict(backend='aot_eager')  # traced, differentiated ahead of time, not lowered
    train(plain)
    train(compiled)
    a, b = (load_checkpoint(Path(cfg.work_dir, 'epoch_1.pth'))['state_dict'] for cfg in (plain, compiled))
    assert a.keys() == b.keys()
    for name in a:
        torch.testing.assert_close(a[name], b[name], rtol=1e-3, atol=1e-5)


def test_a_method_whose_transfers_weigh_nothing_trains_the_student_alone(teacher_dir, tmp_path):
    """Bit for bit: what a method gains or loses is its own, and no other start or order of the same student."""
    taught, alone = config(tmp_path, teacher_dir), config(tmp_path, teacher_dir, options=ALONE)
    for transfer in taught.model.transfers.values():
        transfer.weight = 0.0
    taught.work_dir = str(tmp_path / 'taught')
    train(taught)
    train(alone)
    a, b = (load_checkpoint(Path(cfg.work_dir, 'epoch_1.pth'))['state_dict'] for cfg in (taught, alone))
    assert len(b) > 50
    assert all(torch.equal(a[name], b[name]) for name in b)
