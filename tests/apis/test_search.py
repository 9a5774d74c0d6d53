"""Plans of searches, which are checked before anything is made, and winners as configs."""

import re

import pytest
from helpers import CONFIGS, TEACHERS, call

from mmkd_plugin.apis import load_config, options_beside, plan_search, write_winner
from mmkd_plugin.apis.teachers import run_settings
from mmkd_plugin.experiments import parse_space
from mmkd_plugin.experiments.filters import matches
from mmkd_plugin.experiments.space import Domain
from mmkd_plugin.experiments.study import Study, open_journal
from mmkd_plugin.fileio import ConfigError, read_config

BASE = {'data': 'basic_motions', 'train_cfg.max_epochs': 1, **TEACHERS}
BATCH = 'train_dataloader.batch_size'
SCRATCH = 'supervised/student'
LR = {'optim_wrapper.optimizer.lr': dict(low=0.01, high=0.1, log=True)}
WEIGHT = {'model.transfers.kd.weight': dict(low=0.1, high=1, where=dict(method='kd'))}


def plan_of(tmp_path, space, only=None, base=BASE, method=('kd',), seed=(0,), **options):
    content = {'base': {**base, 'teacher_dir': str(tmp_path)}, 'axes': dict(method=list(method), seed=list(seed))}
    return plan_search(
        parse_space({**content, 'space': space, **options}, 'space.py', ['teacher_dir', 'val_evaluator']), 'search', only
    )


def faults_of(tmp_path, space, **options):
    with pytest.raises(ConfigError) as error:
        plan_of(tmp_path, space, **options)
    return list(error.value.faults)


def test_every_choice_but_seed_and_fold_is_a_study_and_the_trials_follow_the_keys(tmp_path):
    plan = plan_of(tmp_path, LR | WEIGHT, method=('kd', 'supervised/student'), seed=(0, 1), trials=9)
    assert [(s.title, list(s.domains), s.trials) for s in plan.studies] == [
        ('kd on basic_motions', [*LR, *WEIGHT], 9),
        ('supervised/student on basic_motions', list(LR), 5),
    ]
    assert [run.seed for run in plan.studies[0].runs] == [0, 1]
    (teacher,) = plan.teachers
    runs, teachers = plan.make(plan.studies[0], {'model.transfers.kd.weight': 0.25})
    assert [run.settings for run in runs] == [{'model.transfers.kd.weight': 0.25}] * 2
    assert [each.key for each in teachers] == [teacher.key]
    with pytest.raises(ConfigError, match=r"kd: transfer 'kd': weight"):
        plan.make(plan.studies[0], {'model.transfers.kd.weight': 'much'})


def test_a_trial_may_be_the_mean_over_several_data(tmp_path):
    size = 'val_dataloader.batch_size'
    axes = {
        'axes': {'method': [SCRATCH], 'data': ['basic_motions', 'watch'], size: dict(values=[9], where=dict(data='watch'))},
        'average_over': ['data', size],
    }
    base = {key: value for key, value in BASE.items() if key != 'data'}
    (study,) = plan_of(tmp_path, LR, base=base, **axes).studies
    assert study.title == f'{SCRATCH} on basic_motions and watch'
    assert study.choice == {**base, 'method': SCRATCH, 'teacher_dir': str(tmp_path)}
    assert [(run.data, run.arguments['cfg_options'].get(size)) for run in study.runs] == [('basic_motions', None), ('watch', 9)]
    # The ends of the space are checked on all data.
    batches = {'train_dataloader.batch_size': [8, 0]}
    assert len(faults_of(tmp_path, batches, base=base, **axes)) == 1
    separate = plan_of(tmp_path, LR, base=base, axes={**axes['axes'], 'seed': [0]}).studies
    assert [study.title for study in separate] == [f'{SCRATCH} on basic_motions', f'{SCRATCH} on watch']


def test_tied_keys_are_set_together_and_checked(tmp_path):
    rate = 'optim_wrapper.optimizer.lr'
    tied = {rate: dict(low=0.0, high=0.1, also=['optim_wrapper.optimizer.weight_decay'])}
    plan = plan_of(tmp_path, tied, method=(SCRATCH,))
    study = Study(open_journal(tmp_path / 'journal.log'), 'tied', plan.studies[0].domains)
    settings = study.settings(study.ask())
    assert len(set(settings.values())) == 1
    assert list(settings) == [rate, 'optim_wrapper.optimizer.weight_decay']
    runs, _ = plan.make(plan.studies[0], settings)
    assert runs[0].settings == settings
    (fault,) = faults_of(tmp_path, {rate: dict(values=[0.1], also=['optim_wrapper.optimizer.weight_deca'])}, method=(SCRATCH,))
    assert "SGD takes no 'weight_deca'" in fault


def test_whatever_decides_the_trials_is_another_study(tmp_path):
    def name(space=LR, **options):
        (study,) = plan_of(tmp_path, space, method=(SCRATCH,), **options).studies
        return study.name

    names = [
        name(),
        name({'optim_wrapper.optimizer.lr': dict(low=0.01, high=0.2, log=True)}),
        name(base={**BASE, 'train_cfg.max_epochs': 2}),
        name(objective='macro_f1', parallel=2, sampler_seed=1),
    ]
    assert len(set(names)) == 4
    assert names[0] == name(trials=99, fair=True)


@pytest.mark.parametrize(
    ('space', 'options', 'message'),
    [
        (
            {BATCH: dict(low=0, high=8, step=1)},
            dict(method=(SCRATCH,)),
            f'{SCRATCH}: {BATCH} must be a whole number of at least 1, got 0',
        ),
        (
            {BATCH: dict(low=1, high=8)},
            dict(method=(SCRATCH,)),
            f'{SCRATCH}: {BATCH} must be a whole number of at least 1, got 8.0',
        ),
        (
            {'a.b': dict(values=[1], where=dict(method='kdd'))},
            {},
            "space a.b: where: no run has method=kdd; did you mean 'kd'?",
        ),
        (
            {BATCH: dict(values=[8], where=dict(method=SCRATCH))},
            dict(method=('at', SCRATCH), fair=True),
            'fair=True: every method needs a key that is searched; at on basic_motions has none',
        ),
        (LR, dict(method=('hidden_kd_anomaly',)), 'hidden_kd_anomaly is a detector; a search needs a classifier'),
        (
            LR,
            dict(objective='macro_f1', base={**BASE, 'val_evaluator': [dict(type='Accuracy')]}),
            'kd: val_evaluator gives no macro_f1, the objective; its metrics are accuracy',
        ),
        (
            LR,
            dict(
                method=(SCRATCH,),
                pruner=dict(type='MedianPruner'),
                base={**BASE, 'visualizer.vis_backends': [dict(type='TensorboardVisBackend')]},
            ),
            f"{SCRATCH}: a pruner reads curves; visualizer.vis_backends has no dict(type='LocalVisBackend')",
        ),
    ],
)
def test_what_is_wrong_is_named_before_anything_is_made(space, options, message, tmp_path):
    faults = faults_of(tmp_path, space, **options)
    assert any(fault.startswith(message) for fault in faults), faults
    assert not (tmp_path / 'search').exists()


def test_all_faults_of_a_space_are_in_one_list(tmp_path):
    keys = ['model.transfers.kdd.weight', 'model.transfers.kd.wieght', 'optim_wraper.optimizer.lr']
    faults = faults_of(tmp_path, {key: [1] for key in keys})
    assert len(faults) == 3
    assert faults[1].startswith("kd: key model.transfers.kdd.weight: model.transfers has no 'kdd'; did you mean 'kd'?")
    assert faults[0].startswith("kd: key optim_wraper.optimizer.lr: there is no setting 'optim_wraper'; ")
    assert faults[2].startswith("kd: transfer 'kd': ResponseTransfer takes no 'wieght'; did you mean 'weight'?")


def test_a_winner_is_the_config_of_its_trial(tmp_path):
    method = tmp_path / 'mine.py'
    method.write_text(f'_base_ = {str(CONFIGS / "kd.py")!r}\n')
    settings = {
        'model.transfers.kd.weight': 0.25,
        'optim_wrapper.optimizer.lr': 0.02,
        'custom_hooks.5.limit': 2.0,
        'train_dataloader.batch_size': 8,
        'teachers.train_cfg.max_epochs': 1,
    }
    for name, base in (('kd', 'mmkd_plugin::configs/kd.py'), (str(method), str(method))):
        beside = options_beside(name, 'basic_motions', settings)
        assert list(beside) == ['train_dataloader.batch_size', 'teachers.train_cfg.max_epochs']
        assert list(options_beside(name, None, settings)) == ['teachers.train_cfg.max_epochs']
        inside = {key: value for key, value in settings.items() if key not in beside}
        write_winner(tmp_path / 'winner.py', name, inside, ['Trial 3.'])
        assert (tmp_path / 'winner.py').read_text().splitlines()[:3] == [
            '# Trial 3.',
            f'_base_ = {base!r}',
            "model = {'transfers': {'kd': {'weight': 0.25}}}",
        ]
        winner = load_config(tmp_path / 'winner.py', data='basic_motions', cfg_options=beside)
        assert run_settings(winner) == run_settings(load_config(name, data='basic_motions', cfg_options=settings))
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith('.')] == []


def test_the_command_says_what_would_be_tried(tmp_path):
    content = f'base = {BASE!r}\naxes = dict(method=[{SCRATCH!r}], seed=[0, 1])\nspace = {LR!r}\nparallel = 1\n'
    (tmp_path / 'mine.py').write_text(content)
    done = call('search', 'mine.py', '--trials', '3', '--dry-run', '--workers', '1', folder=tmp_path)
    assert done.returncode == 0, done.stderr
    first, second, third = done.stdout.splitlines()
    assert first == 'supervised/student on basic_motions: 3 trials of 2 runs, searched: optim_wrapper.optimizer.lr'
    assert second == '6 runs, 0 done; 0 teachers, 0 to be trained'
    assert re.fullmatch(r'about .* with 1 worker of 1 thread, on 1 core', third)
    assert not (tmp_path / 'work_dirs' / 'searches').exists()


def test_a_search_without_a_winner_is_exit_code_1_whenever_it_is_asked(tmp_path):
    content = (
        f"base = {BASE!r}\naxes = dict(method=[{SCRATCH!r}], seed=[0])\nspace = {{'optim_wrapper.optimizer.lr': [1e30]}}\n"
    )
    (tmp_path / 'mine.py').write_text(content)
    for _ in range(2):
        done = call('search', 'mine.py', '--trials', '1', '--workers', '1', folder=tmp_path)
        assert done.returncode == 1, done.stdout
        assert done.stderr == 'error: no trial has come to its end: supervised/student on basic_motions\n'
        assert 'supervised/student on basic_motions: there is no winner' in done.stdout


@pytest.mark.parametrize(
    ('words', 'message'),
    [
        (['search', 'kd_weight'], r"there is no config kd_weight, .*did you mean '\w*/?kd_weights'\?"),
        (['search', 'kd'], r'kd\.py is the config of a run; a search has space = \{key: values\}'),
        (['search', 'kd_weights', '--trials', '0'], 'trials must be a whole number from 1, got 0'),
        (
            ['search', 'watch_all_methods'],
            'there is no config watch_all_methods|there is no space; space = {key: a list of values',
        ),
        (['search', 'kd_weights', '--retries', '-1'], '--retries must be at least 0, got -1'),
        (
            ['search', 'kd_weights', '--cfg-options', 'optim_wrapper.optimizer.lr=1'],
            'is set by base too; a key is searched or set',
        ),
        (
            ['sweep', 'configs/searches/kd_weights.py'],
            r'kd_weights\.py has a space, which is searched: .*search \S*kd_weights\.py',
        ),
    ],
)
def test_what_is_wrong_on_the_command_line_is_one_sentence(words, message, tmp_path):
    done = call(*words, folder=tmp_path)
    assert done.returncode == 1
    assert re.search(message, done.stderr), done.stderr
    assert list(tmp_path.iterdir()) in ([], [tmp_path / 'work_dirs'])


def test_the_shipped_search_tunes_every_method_of_the_default_data_by_keys_that_it_has():
    space = parse_space(read_config(CONFIGS / 'searches' / 'all_methods.py').to_dict(), 'all_methods', ['teacher_dir'])
    methods = space.sweep.axes['method'].values
    assert set(methods) == {path.stem for path in CONFIGS.glob('*.py')} - {'hidden_kd_anomaly'} | {SCRATCH}
    for method in methods:
        keys = {
            name: domain.ends[0]
            for key, domain in space.domains.items()
            if any(matches(dict(method=method), condition) for condition in domain.where)
            for name in (key, *domain.also)
        }
        rates = [key for key in keys if key.endswith('.lr')]
        assert rates
        assert len(keys) > len(rates) or method == SCRATCH
        cfg = load_config(method, cfg_options=keys)
        assert {key: _at(cfg, key) for key in keys} == keys


def _at(cfg, key):
    for part in key.split('.'):
        cfg = cfg[part]
    return cfg


@pytest.mark.parametrize('damage', [lambda line: line.replace(':', '', 1), lambda line: '{"op_code": 77}', lambda line: '[]'])
def test_a_journal_that_is_damaged_before_its_end_is_named(damage, tmp_path):
    path, domains = tmp_path / 'journal.log', {'lr': Domain(low=0.0, high=1.0)}
    study = Study(open_journal(path), 'kd', domains)
    study.end(study.ask(), {1: 0.5}, 0.5)
    lines = path.read_text().splitlines()
    path.write_text('\n'.join([lines[0], damage(lines[1]), *lines[2:], '']))
    with pytest.raises(ValueError, match=f'^{path}(:2 is damaged: it is not the line| is damaged: optuna cannot follow it)'):
        open_journal(path)


def test_a_journal_that_cannot_be_written_is_not_called_damaged(tmp_path):
    from mmkd_plugin.experiments.study import open_journal

    (tmp_path / 'journal.log').mkdir()
    with pytest.raises(IsADirectoryError, match=r'journal\.log'):
        open_journal(tmp_path / 'journal.log')
