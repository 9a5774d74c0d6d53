"""The student trained alone, and teachers beside it: by networks of one epoch on BasicMotions."""

import numpy as np
import pytest
import torch
from helpers import TINY, call, tiny_config

from mmkd_plugin.apis import predict, rank_teachers, read_result, teachers_below
from mmkd_plugin.apis.alone import find_student, student_config
from mmkd_plugin.apis.teachers import run_settings
from mmkd_plugin.deploy import first_difference
from mmkd_plugin.experiments.ranking import STUDENT
from mmkd_plugin.fileio import ConfigError, write_result


@pytest.fixture
def tiny(tmp_path, teacher_dir):
    return lambda leaf, **more: tiny_config(leaf, tmp_path / 'run', teacher_dir, **more)


@pytest.mark.parametrize('leaf', ['tpkd.py', 'progressive_kd.py', 'meta_kd.py'])
def test_methods_share_one_student_alone(leaf, tiny):
    """The baseline of every report: whatever else a config says is the method's."""
    baseline = run_settings(tiny('supervised/student.py'))
    assert first_difference(run_settings(student_config(tiny(leaf))), baseline) is None


def test_what_decides_is_the_run_s_own(tiny):
    folder = student_config(tiny('kd.py')).work_dir
    assert student_config(tiny('kd.py', epochs=2)).work_dir != folder
    assert student_config(tiny('kd.py', seed=1)).work_dir != folder
    options = {'teachers.optim_wrapper.optimizer.lr': 0.01, 'model.transfers.kd.weight': 2.0}
    assert student_config(tiny('kd.py', cfg_options=options)).work_dir == folder


def test_a_student_alone_has_its_own_classifier_and_its_whole_label_loss(tiny):
    cfg = tiny('simkd.py')
    student = student_config(cfg).model.learners.student
    assert {'classifier', 'ce_weight'} <= cfg.model.learners.student.keys()
    assert student == {'view': 'sig', 'network': cfg.model.learners.student.network}


def test_a_checkpoint_to_start_from_stays_and_a_network_trained_first_does_not(tiny):
    assert 'init_from' not in student_config(tiny('tpkd.py')).model.learners.student
    cfg = tiny('kd.py')
    bare = student_config(cfg)
    cfg.model.learners.student.init_from = str(bare.filename)  # a config too
    assert student_config(cfg).work_dir == bare.work_dir
    cfg = tiny('kd.py', cfg_options={'load_from': 'elsewhere.pth'})
    assert student_config(cfg).load_from is None


def test_the_student_of_a_detector_learns_the_classes_that_are_normal(tiny):
    alone = student_config(tiny('hidden_kd_anomaly.py'))
    assert alone.model.type == 'Distiller'
    assert [metric['type'] for metric in alone.val_evaluator] == ['Accuracy', 'SingleLabelMetric']
    checkpoint = alone.default_hooks.checkpoint
    assert (checkpoint.save_best, checkpoint.rule) == ('accuracy/top1', 'greater')
    assert 'anomalies' not in alone.test_dataloader.dataset


def test_a_config_without_teachers_is_refused(tiny):
    with pytest.raises(ConfigError, match='student.py has no teacher to compare with the student trained alone'):
        rank_teachers(tiny('supervised/student.py'))


@pytest.fixture(scope='module')
def doctor(tmp_path_factory, teacher_dir):
    """Calls the doctor on a teacher of one epoch; the student alone is of a seed that no other test has."""
    folder = tmp_path_factory.mktemp('doctor')
    options = ['train_cfg.max_epochs=1', 'teachers.train_cfg.max_epochs=1', 'randomness.seed=7', f'teacher_dir={teacher_dir}']
    options.append('optim_wrapper.optimizer.lr=0.18')
    return lambda *words: call('doctor', 'kd', '--data', TINY, *words, '--cfg-options', *options, folder=folder)


def test_the_doctor_ranks_teachers_and_says_so_from_then_on(doctor, tiny, tmp_path, entropy_run):
    before = doctor('--batches', '1')
    assert 'whether teachers are above the student trained alone, which has not been trained: ' in before.stdout
    assert before.stdout.rstrip().endswith('--teachers')

    ranked = doctor('--teachers')
    assert ranked.returncode == 0, ranked.stderr
    assert "teacher 'student (alone)': training" in ranked.stdout
    assert '\nstudent (alone): 1 epoch in ' in ranked.stdout
    assert 'Best first, on 8 validation windows of 8 recordings\n' in ranked.stdout
    assert 'What each teacher knows, in points\n' in ranked.stdout
    assert '\nsig and student alone  ' in ranked.stdout

    # Another method with the same rate has the same student, which is not trained again; figures are those of the networks' own runs.
    cfg = tiny('fam_kd.py', seed=7)
    assert cfg.optim_wrapper.optimizer.lr == 0.18
    folder = find_student(cfg)
    written = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    ranking = rank_teachers(cfg)
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == written
    standings = {each.name: each for each in ranking.standings}
    assert list(standings) == sorted(standings, key=lambda name: (-standings[name].accuracy, standings[name].nll))
    (own,) = read_result(folder)['networks']
    known = {row['name']: row for row in read_result(entropy_run)['networks'] if row['role'] == 'teacher'} | {STUDENT: own}
    for name, row in known.items():
        assert standings[name].accuracy == pytest.approx(row['val']['accuracy'])
        assert standings[name].size == (row['view'], row['params'], row['macs'])

    after = doctor('--batches', '1')
    lines = [line.removeprefix('warning: ') for line in after.stdout.splitlines() if 'student trained alone' in line]
    assert lines == [sentence for sentence in ranking.warnings if "'sig'" in sentence]

    # So does the end of a run, by the figures that it has written.
    result = read_result(entropy_run)
    rows = {row['name']: row for row in result['networks']}
    best = own['val']['accuracy']
    rows['sig']['val']['accuracy'], rows['gaf']['val']['accuracy'], rows['pi']['val'] = best - 0.125, best, None
    figures = f'{100 * best - 12.5:.2f} % against {100 * best:.2f} %'
    sentence = f'teacher sig is below the student trained alone on validation: {figures}'
    assert teachers_below(cfg, result) == [sentence]
    result['windows']['lacking'] = {'val': {'camera': 3}}
    assert teachers_below(cfg, result) == [f'{sentence}, each on the windows that have what it reads']
    cfg.randomness.seed = 8
    assert teachers_below(cfg, result) == []

    # A student alone that is damaged is none.
    del own['sha256']
    write_result({**read_result(folder), 'networks': [own]}, folder)
    cfg.randomness.seed = 7
    assert find_student(cfg) is None


def test_outputs_that_lie_in_a_file_are_ranked_like_the_network_that_gave_them(tiny, tmp_path, entropy_run):
    """One teacher, without weights; the windows come in another order."""
    cfg = tiny('kd.py')
    checkpoint = next(row['checkpoint'] for row in read_result(entropy_run)['networks'] if row['name'] == 'sig')
    splits = [predict(cfg, checkpoint, teacher='sig', split=split) for split in ('val', 'test', 'train')]
    windows = [window for split in splits for window in split.window_ids]
    np.savez(tmp_path / 'expert.npz', logits=torch.cat([split.logits for split in splits]), window_ids=windows)
    expert = dict(sig=None, expert=dict(outputs=str(tmp_path / 'expert.npz')))
    ranking = rank_teachers(tiny('kd.py', cfg_options={'model.teachers': expert, 'model.transfers.kd.source': 'expert.logits'}))
    (knowledge,) = ranking.knowledge
    standings = {each.name: each for each in ranking.standings}
    assert standings.keys() == {'expert', STUDENT}
    assert standings['expert'].accuracy == splits[0].accuracy
    assert standings['expert'].size == ('outputs of expert', 0, 0)
    assert (knowledge.only, knowledge.without) == (None, None)


def test_batches_and_teachers_exclude_each_other(tmp_path):
    done = call('doctor', 'kd', '--teachers', '--batches', '2', folder=tmp_path)
    assert done.returncode == 2
    assert 'not allowed with argument' in done.stderr
