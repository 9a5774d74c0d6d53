"""A student of BasicMotions, tested on corrupted windows."""

import json
from pathlib import Path

import pytest
from helpers import ROOT, bare_weights, call

from mmkd_plugin.apis import evaluate_checkpoint, find_network, load_config, read_result, train
from mmkd_plugin.apis.robustness import choose_corruptions, evaluate_corruptions, find_axes, format_corruptions
from mmkd_plugin.datasets import BasicMotions
from mmkd_plugin.datasets.transforms.corrupt import CORRUPTIONS
from mmkd_plugin.registry import TASK_UTILS

LEAF = ROOT / 'configs' / 'basic_motions' / 'fam_kd.py'
ALONE = {
    'model.transfers': None,
    'model.teachers': None,
    'train_cfg.max_epochs': 8,
    'train_cfg.val_interval': 8,
}  # beyond chance level


@TASK_UTILS.register_module()
class NamelessMotions(BasicMotions):
    """The same recordings, from a reader that knows no axes; for want of ``named``, nobody else finds data by it."""

    channels = ('c0', 'c1', 'c2', 'rot_x', 'rot_y', 'rot_z')

    def __init__(self, root=None, *, named):
        super().__init__(root)


@pytest.fixture(scope='module')
def checkpoint(tmp_path_factory):
    cfg = load_config(LEAF, str(tmp_path_factory.mktemp('student')), cfg_options=ALONE)
    return find_network(train(cfg))['checkpoint']


def config(tmp_path, **options):
    return load_config(LEAF, str(tmp_path), cfg_options={**ALONE, **options})


@pytest.fixture(scope='module')
def result(checkpoint, tmp_path_factory):
    cfg = config(tmp_path_factory.mktemp('whole'))
    kept = cfg.pretty_text
    result = evaluate_corruptions(cfg, checkpoint)
    assert cfg.pretty_text == kept
    assert json.loads(Path(cfg.work_dir, 'corruptions.json').read_text()) == result
    return result


def test_every_corruption_has_its_row_and_its_drop(result, checkpoint):
    rows = {row['name']: row for row in result['rows']}
    assert list(rows) == ['clean', *(row[0] for row in CORRUPTIONS)]
    assert [(row['kind'], row['level']) for row in result['rows'][1:]] == [row[1:] for row in CORRUPTIONS]
    clean = rows['clean']['test']
    for row in rows.values():
        for key in ('accuracy', 'macro_f1'):
            assert 0 <= row['test'][key] <= 1
            assert row['drop'][key] == clean[key] - row['test'][key]
    assert (result['axes'], result['notes']) == ({'acc': [[0, 1, 2]], 'gyr': [[3, 4, 5]]}, [])
    assert result['checkpoint'] == checkpoint
    assert clean['accuracy'] > 0.5 > rows['noise-0.12']['test']['accuracy']  # four classes


def test_clean_is_the_figure_of_the_run(result, checkpoint, tmp_path):
    cfg = config(tmp_path)
    assert result['rows'][0]['test'] == evaluate_checkpoint(cfg, checkpoint)
    trained = read_result(Path(checkpoint).parent)
    assert result['rows'][0]['test'] == find_network(trained)['test']['best']


def test_what_needs_axes_is_left_out_aloud_where_there_are_none(checkpoint, tmp_path):
    nameless = {'test_dataloader.dataset.reader': dict(type='NamelessMotions', named=False)}
    suite = [('deafening', 'noise', 1000.0), *choose_corruptions(['rotation-30', 'mirror'])]
    result = evaluate_corruptions(config(tmp_path, **nameless), bare_weights(checkpoint, tmp_path), suite)
    lines = format_corruptions(result).splitlines()
    assert [line.split() for line in lines if line.startswith(('rotation-30', 'mirror-x'))] == [
        ['rotation-30', '-', '-', '-', '-'],
        ['mirror-x', '-', '-', '-', '-'],
    ]
    assert lines[-2:] == [
        "channels 'rot' x, y, z are left as they are: their name tells none of acc, gyr, mag",
        'rotation and mirror: not tested, no axes were found; corruption_axes in the config would name them',
    ]
    assert [row['name'] for row in result['rows'] if row['test'] is None] == ['rotation-30', 'mirror-x']
    assert result['rows'][1]['test']['accuracy'] < 0.5  # a level of one's own; four classes


def test_axes_of_the_config_give_what_names_give_and_another_seed_changes_nothing(result, checkpoint, tmp_path):
    given = {
        'test_dataloader.dataset.reader': dict(type='NamelessMotions', named=False),
        'corruption_axes': dict(acc=[('c0', 'c1', 'c2')], gyr=[(3, 4, 5)]),
        'randomness.seed': 5,
    }
    suite = choose_corruptions(['noise-0.09', 'rotation-90', 'mirror'])
    again = evaluate_corruptions(config(tmp_path, **given), bare_weights(checkpoint, tmp_path), suite)
    assert again['axes'] == result['axes']
    rows = {row['name']: row for row in result['rows']}
    assert again['rows'] == [rows[row['name']] for row in again['rows']]


@pytest.mark.parametrize(
    ('options', 'suite', 'message'),
    [
        ({'corruption_axes': dict(acc=[(0, 1)])}, None, 'axes must be triples of different channels'),
        ({'corruption_axes': dict(acc=[(4, 5, 6)])}, None, r'axes name channel 6; the signal has channels 0 to 5 \(acc_x'),
        ({'corruption_axes': dict(heart=[(0, 1, 2)])}, None, 'rotation needs axes of acc, gyr, mag'),
        ({}, [('half', 'missing', 5)], 'level of missing must be a share of the window, between 0 and 1; got 5'),
        ({}, [('fog', 'fog', 1)], "kind must be one of noise, missing, rotation, mirror, rate, got 'fog'"),
    ],
)
def test_what_is_wrong_ends_it_before_anything_is_tested(options, suite, message, checkpoint, tmp_path):
    with pytest.raises(ValueError, match=message):
        evaluate_corruptions(config(tmp_path, **options), checkpoint, suite)
    assert list(tmp_path.iterdir()) == []


def test_a_checkpoint_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError, match=r'there is no checkpoint none\.pth'):
        evaluate_corruptions(config(tmp_path), 'none.pth', choose_corruptions(['rate-0.5']))
    assert not (tmp_path / 'corruptions.json').exists()


def test_corruptions_are_chosen_by_kind_and_by_level():
    assert [row[0] for row in choose_corruptions(['mirror', 'rate-0.8'])] == ['mirror-x', 'rate-0.8']
    assert choose_corruptions([]) == list(CORRUPTIONS)
    with pytest.raises(
        ValueError, match="there is no corruption 'fog'; there are noise, missing, rotation, mirror, rate, or one"
    ):
        choose_corruptions(['noise', 'fog'])


@pytest.mark.parametrize(
    ('names', 'axes'),
    [
        (('ax', 'ay', 'az', 'wx', 'wy', 'wz'), dict(acc=[[0, 1, 2]], gyr=[[3, 4, 5]])),  # seglearn
        (('heart_rate', 'hand_acc16_x', 'hand_acc16_y', 'hand_acc16_z', 'hand_temp'), dict(acc=[[1, 2, 3]])),
        (
            ('tBodyAcc-X', 'tBodyAcc-Y', 'tBodyAcc-Z', 'a_gyro_z', 'a_gyro_y', 'a_gyro_x'),
            dict(acc=[[0, 1, 2]], gyr=[[5, 4, 3]]),
        ),
        (
            ('hand_mag_x', 'foot_acc_x', 'hand_mag_y', 'foot_acc_y', 'hand_mag_z', 'foot_acc_z'),
            dict(mag=[[0, 2, 4]], acc=[[1, 3, 5]]),
        ),
        (('x', 'y', 'z'), dict(acc=[[0, 1, 2]])),
        (('acc_x', 'acc_y'), {}),
        (('value',), {}),
    ],
)
def test_axes_are_found_by_their_names(names, axes):
    assert find_axes(names) == (axes, [])


def test_the_command_prints_the_table(result, checkpoint, tmp_path):
    chosen = ('--corruptions', 'missing-0.30', 'mirror')
    done = call('test', LEAF, checkpoint, '--work-dir', tmp_path / 'run', *chosen, folder=tmp_path)
    assert done.returncode == 0, done.stderr[-2000:]
    rows = {row['name']: row for row in result['rows']}
    chosen = [rows[name] for name in ('clean', 'missing-0.30', 'mirror-x')]
    assert format_corruptions({'rows': chosen, 'notes': []}) in done.stdout
    assert f'metrics: {tmp_path}/run/corruptions.json' in done.stdout
    assert json.loads((tmp_path / 'run' / 'corruptions.json').read_text())['rows'] == chosen
    assert 'INFO' not in done.stdout


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['--corruptions', 'noise', 'fog'], "error: there is no corruption 'fog'; there are noise, missing,"),
        (['--corruptions', '--fold', '1'], 'error: --fold 1 needs data that are split by a protocol'),
    ],
)
def test_the_command_prints_one_error(arguments, message, checkpoint, tmp_path):
    done = call('test', LEAF, checkpoint, '--work-dir', tmp_path / 'run', *arguments, folder=tmp_path)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith(message)
    assert not (tmp_path / 'run').exists()


def test_a_table_by_hand():
    clean = dict(name='clean', test=dict(accuracy=0.9, macro_f1=0.8), drop=dict(accuracy=0.0, macro_f1=0.0))
    worse = dict(name='rate-0.5', test=dict(accuracy=0.9, macro_f1=0.55), drop=dict(accuracy=-0.0, macro_f1=0.25))
    gone = dict(name='mirror-x', test=None, drop=None)
    assert format_corruptions(dict(rows=[clean, worse, gone], notes=['why'])).splitlines() == [
        '            accuracy     drop    macro-f1     drop',
        '--------------------------------------------------',
        'clean          90.00     0.00       80.00     0.00',
        'rate-0.5       90.00     0.00       55.00    25.00',
        'mirror-x           -        -           -        -',
        '--------------------------------------------------',
        'why',
    ]
