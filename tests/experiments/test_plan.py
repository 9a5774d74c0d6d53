import pytest

from mmkd_plugin.experiments import expand, parse_sweep, pick
from mmkd_plugin.fileio import ConfigError


def choices_of(folds=5, **content):
    return expand(parse_sweep(content, 'sweep.py'), lambda choice: folds)


def faults_of(**content):
    with pytest.raises(ConfigError) as error:
        choices_of(**content)
    return list(error.value.faults)


def test_runs_are_the_product_of_the_axes_seed_by_seed_and_fold_by_fold():
    choices = choices_of(axes=dict(method=['kd', 'at'], fold=[0, 1], seed=[3, 4]), base=dict(data='watch_folds'))
    assert [(c['seed'], c['fold'], c['method']) for c in choices] == [
        (seed, fold, method) for seed in (3, 4) for fold in (0, 1) for method in ('kd', 'at')
    ]
    assert {c['data'] for c in choices} == {'watch_folds'}


def test_all_folds_are_those_of_the_data_and_filters_may_speak_of_them():
    axes = dict(method=['kd', 'at'], fold='all')
    assert [c['fold'] for c in choices_of(folds=3, axes=axes)] == [0, 0, 1, 1, 2, 2]
    kept = choices_of(folds=3, axes=axes, where=[dict(method='kd'), dict(method='at', fold=dict(max=0))])
    assert [(c['fold'], c['method']) for c in kept] == [(0, 'kd'), (0, 'at'), (1, 'kd'), (2, 'kd')]


def test_an_axis_may_be_there_for_some_runs_alone():
    weight = {'model.transfers.kd.weight': dict(values=[0.1, 0.5], where=dict(method='kd'))}
    choices = choices_of(axes=dict(method=['kd', 'at'], **weight))
    assert [(c['method'], c.get('model.transfers.kd.weight')) for c in choices] == [('kd', 0.1), ('kd', 0.5), ('at', None)]


def test_filters_of_values_of_limits_and_of_exceptions():
    axes = dict(method=['kd', 'configs/at.py', 'rkd'], seed=[0, 1, 2, 3])
    seeds = choices_of(axes=axes, where=dict(method=['kd', 'at'], seed=dict(min=1, max=2, **{'except': 2})))
    assert [(c['method'], c['seed']) for c in seeds] == [('kd', 1), ('configs/at.py', 1)]
    others = choices_of(axes=axes, where=dict(method={'except': ['kd', 'at']}, seed=0))
    assert [c['method'] for c in others] == ['rkd']


def test_only_some_runs_of_a_sweep_are_picked():
    choices = choices_of(axes=dict(method=['kd', 'at'], seed=[0, 1]))
    assert [(c['method'], c['seed']) for c in pick(choices, {'method': ['at'], 'seed': [0, 1]})] == [('at', 0), ('at', 1)]
    with pytest.raises(ConfigError, match=r"--only: there is no axis 'metod'; did you mean 'method'\?"):
        pick(choices, {'metod': ['kd']})
    with pytest.raises(ConfigError, match=r"--only: no run has method=kdd; did you mean 'kd'\? method is kd, at"):
        pick(choices, {'method': ['kdd']})
    with pytest.raises(ConfigError, match=r"--only: no run has method=kdd; did you mean 'kd'\? method is kd, at"):
        pick(choices, {'method': [['kdd', 'at']]})


def test_only_takes_several_values_at_once_unless_an_axis_holds_lists():
    stages = 'model.student.out_indices'
    choices = choices_of(axes={'method': ['kd', 'at', 'rkd', 'sp'], stages: dict(values=[[1], [1, 2]])})
    picked = pick(choices, {'method': [['kd', 'at'], 'rkd'], stages: [[1, 2]]})
    assert [(c['method'], c[stages]) for c in picked] == [('kd', [1, 2]), ('at', [1, 2]), ('rkd', [1, 2])]


def test_repeats_are_seeds_after_that_of_the_base():
    assert [c['seed'] for c in choices_of(axes=dict(method=['kd']), repeats=3)] == [0, 1, 2]
    assert [c['seed'] for c in choices_of(axes=dict(method=['kd']), base=dict(seed=5), repeats=2)] == [5, 6]
    assert faults_of(axes=dict(method=['kd'], seed=[0]), repeats=2) == [
        'repeats=2 makes every run with so many seeds; with an axis seed there is nothing to repeat'
    ]
    assert faults_of(axes=dict(method=['kd']), repeats=0) == ['repeats must be a whole number from 1, got 0']


def test_a_child_drops_an_axis_with_none():
    assert choices_of(axes={'method': ['kd'], 'seed': [1], 'fold': None}) == [{'method': 'kd', 'seed': 1}]


@pytest.mark.parametrize(
    ('content', 'fault'),
    [
        (
            dict(wher=[]),
            "there is no key 'wher'; did you mean 'where'? keys are base, axes, where, repeats, fair; a variable of",
        ),
        (
            dict(base=dict(foldd=1)),
            "base: there is no axis 'foldd'; did you mean 'fold'? axes are method, data, fold, seed, quick",
        ),
        (
            dict(axes=dict(seeds=[0])),
            "axes: there is no axis 'seeds'; did you mean 'seed'? axes are method, data, fold, seed, or",
        ),
        (dict(axes=dict(method='kd')), "axis method must be a list of values, got 'kd'"),
        (dict(axes=dict(fold='every')), "axis fold must be a list of values or 'all', got 'every'"),
        (dict(axes=dict(seed=[-1, 0.5])), 'axis seed must be whole numbers from 0, got -1, 0.5'),
        (dict(axes=dict(seed=dict(value=[1]))), "axis seed: there is no key 'value'; did you mean 'values'?"),
        (dict(where=['kd']), "where: a filter is a dict of axes, as dict(method='kd', fold=[0, 1]); got 'kd'"),
        (dict(where=dict(seed=dict(mni=1))), "where: seed: there is no filter 'mni'; did you mean 'min'?"),
        (dict(where=dict(sed=1)), "where: there is no axis 'sed'; did you mean 'seed'? axes are method, seed"),
        (dict(where=dict(method='kdd')), "where: no run has method=kdd; did you mean 'kd'? method is kd, at"),
        (dict(where=dict(seed=dict(min=7))), 'where: no run passes the filters'),
    ],
)
def test_what_is_unknown_or_of_a_wrong_form_is_named_with_what_is_near(content, fault):
    axes = dict(method=['kd', 'at']) | content.pop('axes', {})
    (sentence,) = faults_of(axes=axes, **content)
    assert sentence.startswith(fault)


def test_a_sweep_names_its_methods():
    assert faults_of(axes=dict(seed=[0])) == ["axes has no method: axes = dict(method=['kd', 'at'], ...) names the configs"]
