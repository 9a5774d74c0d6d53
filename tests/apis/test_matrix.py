"""Plans of sweeps: runs are resolved, checked and fingerprinted before any is made."""

import re

import pytest
from helpers import CONFIGS, ROOT, TEACHERS, call

from mmkd_plugin.apis import load_config, plan_sweep, prepare_teacher
from mmkd_plugin.experiments import expand, parse_sweep
from mmkd_plugin.fileio import ConfigError, shipped_configs

BASE = {'data': 'basic_motions', 'train_cfg.max_epochs': 1}


def plan_of(tmp_path, only=None, base=BASE, **axes):
    sweep = parse_sweep({'base': {**base, 'teacher_dir': str(tmp_path)}, 'axes': axes}, 'sweep.py', ['teacher_dir'])
    return plan_sweep(sweep, 'sweep', only)


def faults_of(tmp_path, **axes):
    with pytest.raises(ConfigError) as error:
        plan_of(tmp_path, **axes)
    return list(error.value.faults)


def test_every_sweep_makes_the_student_without_teachers_once_per_data_fold_and_seed(tmp_path):
    plan = plan_of(tmp_path, method=['kd', 'at', 'supervised/student'], seed=[0, 1])
    runs = [(run.method, run.seed) for run in plan.runs]
    assert runs == [(method, seed) for seed in (0, 1) for method in ('supervised/student', 'kd', 'at')]
    assert plan.runs[0].work_dir == f'sweep/basic_motions/supervised/student/seed0-{plan.runs[0].key[:8]}'
    (teacher,) = plan.teachers  # of both methods
    assert {run.teachers for run in plan.runs} == {(), (teacher.key,)}
    assert [run.method for run in plan_of(tmp_path, {'method': ['at']}, method=['kd', 'at'], seed=[0]).runs] == ['at']


def test_a_change_of_config_teacher_data_or_setting_is_another_run(tmp_path):
    def key(method='kd', base=BASE, **axes):
        (run,) = plan_of(tmp_path, {'method': [method]}, base, method=[method], seed=[0], **axes).runs
        return run.key

    own = tmp_path / 'kd.py'
    own.write_text(f'_base_ = {str(CONFIGS / "kd.py")!r}\n')
    same = tmp_path / 'other' / 'kd.py'
    same.parent.mkdir()
    same.write_text(f'_base_ = {str(CONFIGS / "kd.py")!r}\nof_my_own = 1\nlog_level = "WARNING"\n')
    assert key() == key(str(own)) == key(str(same))  # what is learned is the same
    others = [
        key(base={**BASE, 'train_cfg.max_epochs': 2}),
        key(base={**BASE, 'teachers.train_cfg.max_epochs': 2}),
        key(base={**BASE, 'data': 'watch'}),
        key(**{'model.teachers.sig.config': ['configs/teachers/gaf.py']}),
        key(**{'model.transfers.kd.weight': [0.9]}),
    ]
    assert len({key(), *others}) == 6


def test_a_machine_with_a_gpu_plans_the_same_runs_and_teachers_as_one_without(tmp_path):
    with_gpu = {**BASE, 'data_preprocessor.non_blocking': True, 'train_dataloader.pin_memory': True}
    plain, planned = (plan_of(tmp_path, base=base, method=['kd'], seed=[0]) for base in (BASE, with_gpu))
    assert [run.key for run in plain.runs] == [run.key for run in planned.runs]
    assert [teacher.key for teacher in plain.teachers] == [teacher.key for teacher in planned.teachers]


def test_a_teacher_that_the_run_does_not_have_is_named(tmp_path):
    (teacher,) = plan_of(tmp_path, method=['kd'], seed=[0]).teachers
    with pytest.raises(ValueError, match=r'no teacher in work_dirs/teachers/gone, but in .*sig-\w+: config, data or weights'):
        prepare_teacher(load_config(**teacher.arguments), 'work_dirs/teachers/gone')


def test_axes_are_keys_of_the_config_and_stand_in_the_titles(tmp_path):
    plan = plan_of(tmp_path, method=['kd'], seed=[0], **{'model.transfers.kd.weight': [0.1, 0.9]})
    assert [run.title for run in plan.runs] == [
        'basic_motions: supervised/student, seed 0',
        'basic_motions: kd (model.transfers.kd.weight=0.1), seed 0',
        'basic_motions: kd (model.transfers.kd.weight=0.9), seed 0',
    ]
    assert plan.runs[2].settings == {'model.transfers.kd.weight': 0.9}


def test_an_axis_of_one_value_tells_where_the_student_without_teachers_lacks_it(tmp_path):
    turned = [dict(type='RotateAxes', angle=20.0)]
    sweep = {
        'base': {**BASE, 'teacher_dir': str(tmp_path)},
        'axes': {
            'method': ['supervised/student', 'kd'],
            'seed': [0],
            'augment': dict(values=[turned], where=dict(method='supervised/student')),
            'model.transfers.kd.weight': dict(values=[0.5], where=dict(method='kd')),
        },
    }
    plan = plan_sweep(parse_sweep(sweep, 'sweep.py', ['teacher_dir', 'augment']), 'sweep')
    assert [(run.method, run.settings) for run in plan.runs] == [
        ('supervised/student', {}),
        ('supervised/student', {'augment': turned}),
        ('kd', {}),
    ]


def test_a_key_of_the_base_tells_where_the_student_without_teachers_lacks_it(tmp_path):
    base = {**BASE, 'model.learners.student.ce_weight': 0.5, 'teachers.train_cfg.max_epochs': 2}  # the student has no teachers
    plan = plan_of(tmp_path, base=base, method=['supervised/student', 'kd'], seed=[0])
    assert [(run.method, run.settings) for run in plan.runs] == [
        ('supervised/student', {}),
        ('supervised/student', {'model.learners.student.ce_weight': 0.5}),
        ('kd', {'model.learners.student.ce_weight': 0.5}),
    ]


def test_folds_are_those_of_the_protocol(tmp_path):
    base = {'data': 'watch_folds', 'train_cfg.max_epochs': 1}
    plan = plan_of(tmp_path, base=base, method=['kd'], fold='all', seed=[0])
    scratch, others = ([run.fold for run in plan.runs if (run.method == 'kd') == kd] for kd in (False, True))
    assert scratch == others == [0, 1, 2, 3, 4]
    assert len({teacher.key for teacher in plan.teachers}) == 5  # a teacher for every fold
    assert faults_of(tmp_path, method=['kd'], fold='all') == [
        "kd: fold='all' needs data that are split by a protocol with a number of folds; basic_motions names the subjects of its "
        'splits'
    ]
    (fault,) = {fault.partition(': ')[2] for fault in faults_of(tmp_path, method=['kd'], fold=[1])}
    assert fault.startswith('--fold 1 needs data that are split by a protocol')


@pytest.mark.parametrize(
    ('axes', 'message'),
    [
        (
            {'model.transfers.kdd.weight': [1]},
            "kd: key model.transfers.kdd.weight: model.transfers has no 'kdd'; did you mean 'kd'?",
        ),
        ({'optim_wraper.optimizer.lr': [1]}, "kd: key optim_wraper.optimizer.lr: there is no setting 'optim_wraper'; "),
        ({'model.transfers.kd.wieght': [1]}, "kd: transfer 'kd': ResponseTransfer takes no 'wieght'; did you mean 'weight'?"),
        ({'data': ['basic_motion']}, 'kd: --data basic_motion: there is no such file and no such name; did you mean'),
    ],
)
def test_all_faults_are_named_before_anything_is_made(axes, message, tmp_path):
    faults = faults_of(tmp_path, method=['kd'], seed=[0], **axes)
    assert faults[0].startswith(message), faults
    assert not (tmp_path / 'sweep').exists()


def test_the_command_says_what_would_be_made(tmp_path):
    sweep = tmp_path / 'mine.py'
    sweep.write_text(f"base = {dict(BASE, **TEACHERS)!r}\naxes = dict(method=['kd'], seed=[0, 1])\n")
    result = call('sweep', 'mine.py', '--dry-run', '--seeds', '3', '--workers', '1', folder=tmp_path)
    assert result.returncode == 0, result.stderr
    first, second = result.stdout.splitlines()
    assert first == '2 runs, 0 done; 1 teacher, 1 to be trained'
    assert second.startswith('about ')
    assert second.endswith('s with 1 worker of 1 thread, on 1 core')
    assert not (tmp_path / 'work_dirs' / 'sweeps').exists()


@pytest.mark.parametrize(
    ('words', 'message'),
    [
        (['kdd'], r"error: there is no config kdd, .*did you mean 'kd'\?"),
        (['watch_all_methods', 'kd'], 'watch_all_methods.py is a sweep, which stands alone; got watch_all_methods, kd'),
        (['kd', '--data', 'basic_motions', '--only', 'fold=1'], r"--only: there is no axis 'fold'; axes are"),
        (['kd', '--folds', 'all', '0'], "--folds is a list of numbers, or 'all' alone"),
        (['kd', '--retries', '-1'], '--retries must be at least 0, got -1'),
    ],
)
def test_what_is_wrong_on_the_command_line_is_one_sentence(words, message, tmp_path):
    result = call('sweep', *words, folder=tmp_path)
    assert result.returncode == 1
    assert re.search(message, result.stderr), result.stderr
    assert list(tmp_path.iterdir()) in ([], [tmp_path / 'work_dirs'])


def test_the_shipped_sweep_names_every_method_that_the_default_data_are_for():
    namespace: dict = {}
    exec((ROOT / 'configs' / 'sweeps' / 'watch_all_methods.py').read_text(), namespace)
    methods = set(shipped_configs('')) & {path.stem for path in CONFIGS.glob('*.py')}
    assert set(namespace['axes']['method']) == methods - {'hidden_kd_anomaly'}


def test_the_comparison_has_the_keys_of_the_teachers_that_its_methods_have():
    """On UMAFall every teacher reads the body, and no other data have such keys."""
    namespace: dict = {}
    exec((ROOT / 'configs' / 'sweeps' / 'benchmark.py').read_text(), namespace)
    sweep = parse_sweep({'axes': {**namespace['axes'], 'fold': [0]}}, 'benchmark', ['augment'])
    for choice in expand(sweep, lambda choice: 1):
        views = {key.split('.')[2]: view for key, view in choice.items() if key.endswith('.view')}
        worn = choice['data'] == 'umafall_folds'
        teachers = load_config(choice['method']).model.get('teachers') or {} if worn else {}
        assert views == {name: dict(sig='body', gaf='body_gaf', pi='body_pi')[name] for name in teachers}
