"""A student of the wrist that learns from the whole body, from an image of the wrist, and from a camera of another rate."""

import numpy as np
import pytest
import torch
from helpers import CONFIGS
from worn_and_seen import PREPROCESSOR, dataset

from mmkd_plugin import SignalInferencer
from mmkd_plugin.apis import check_config, export_checkpoint, load_config, rank_teachers, train
from mmkd_plugin.deploy import load_student
from mmkd_plugin.engine import Runner
from mmkd_plugin.experiments.run_record import record_of
from mmkd_plugin.fileio import ConfigError, load_checkpoint, read_predictions

TEACHERS = dict(
    body=dict(config=str(CONFIGS / 'teachers/sig.py'), view='body'),
    gaf=dict(config=str(CONFIGS / 'teachers/gaf.py')),
    camera=dict(config=str(CONFIGS / 'teachers/sig.py'), view='camera'),
)
KD = dict(
    type='ResponseTransfer',
    source=[f'{name}.logits' for name in TEACHERS],
    target='student.logits',
    weighting=dict(type='Entropy'),
    renormalize=True,
)


def config(folder, work_dir, preprocessor=PREPROCESSOR, **more):
    text = [f'_base_ = [{str(CONFIGS / "supervised/student.py")!r}]']
    for split in ('train', 'val', 'test'):
        loader = dict(batch_size=27, dataset=dict(**dataset(folder, split), _delete_=True))
        text.append(f'{split}_dataloader = {loader!r}')
    text.append(f'data_preprocessor = {dict(**preprocessor, _delete_=True)!r}')
    text.append(f'model = {dict(teachers=TEACHERS, transfers=dict(kd=KD))!r}')
    path = folder / f'{work_dir.name}.py'
    path.write_text('\n'.join(text) + '\n')
    options = {'train_cfg.max_epochs': 2, 'teachers.train_cfg.max_epochs': 1, 'teacher_dir': str(folder / 'teachers')}
    return load_config(path, str(work_dir), cfg_options=options, **more)


@pytest.fixture(scope='module')
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp('streams')
    return folder, train(config(folder, folder / 'run'))


def test_teachers_see_more_than_the_student(run):
    folder, result = run
    rows = {row['name']: row for row in result['networks']}
    assert {name: row['view'] for name, row in rows.items()} == dict(body='body', gaf='gaf', camera='camera', student='sig')
    lacking = result['windows']['lacking']
    assert record_of(folder / 'run')['windows'] == dict(train=81, val=27, test=54, lacking=lacking)
    # A network that reads a stream is tested on the windows that have it.
    logits = read_predictions(folder / 'run')
    assert np.isnan(logits['camera/best']).all(1).sum() == lacking['test']['camera'] > 0
    assert np.isfinite(logits['body/best']).all()
    figures = {row['name']: row['test']['best']['n'] for row in record_of(folder / 'run')['networks']}
    assert figures == dict(body=54, gaf=54, student=54, camera=54 - lacking['test']['camera'])


def test_each_teacher_is_ranked_on_the_windows_that_it_reads(run):
    folder, result = run
    ranking = rank_teachers(config(folder, folder / 'run'))
    lacking = result['windows']['lacking']['val']['camera']
    assert {each.name: each.n for each in ranking.standings} == {
        **dict.fromkeys(['body', 'gaf', 'all teachers', 'student alone'], 27),
        'camera': 27 - lacking,
    }
    assert {pair.n for pair in ranking.pairs if 'camera' in pair.names} == {27 - lacking}
    rows = {row['name']: row['val']['accuracy'] for row in result['networks'] if row['role'] == 'teacher'}
    assert rows == pytest.approx({each.name: each.accuracy for each in ranking.standings if each.name in rows})


def test_windows_of_a_run_bring_along_what_its_networks_read(run):
    folder, _ = run
    cfg = config(folder, folder / 'alone')
    for teachers, transfers, streams in (
        (cfg.model.teachers, cfg.model.transfers, dict(signal=(4, 40), camera=(2, 25))),
        ({}, {}, dict(signal=(4, 40))),
    ):
        cfg.model.teachers, cfg.model.transfers = teachers, transfers
        runner = Runner.from_cfg(cfg)
        for loop in (runner.train_loop, runner.val_loop, runner.test_loop):
            inputs = loop.dataloader.dataset[0]['inputs']
            inputs = inputs if isinstance(inputs, dict) else dict(signal=inputs)
            assert {name: tuple(x.shape) for name, x in inputs.items()} == streams


def test_outputs_of_teachers_are_kept(run):
    folder, _ = run
    kept = [path.name.partition('-')[0] for path in (folder / 'teachers' / 'cache').iterdir() if path.is_dir()]
    assert sorted(kept) == sorted(TEACHERS)


def test_a_run_goes_on_bit_for_bit(run):
    folder, _ = run
    train(config(folder, folder / 'again', resume=str(folder / 'run' / 'epoch_1.pth')))
    whole, resumed = (load_checkpoint(folder / name / 'epoch_2.pth')['state_dict'] for name in ('run', 'again'))
    assert whole.keys() == resumed.keys()
    assert all(torch.equal(whole[key], resumed[key]) for key in whole)


def test_the_student_leaves_with_the_channels_of_its_wrist_alone(run):
    folder, _ = run
    checkpoint = folder / 'run' / 'student_best.pth'
    contract = load_student(checkpoint).contract
    assert (contract.channels, contract.units, contract.rate, contract.window) == (('wrist_x', 'wrist_y'), ('g', 'g'), 20.0, 40)
    assert {key: len(values) for key, values in contract.statistics.items()} == dict.fromkeys(('mean', 'std', 'min', 'max'), 2)
    decisions = SignalInferencer(checkpoint)(np.random.default_rng(0).normal(size=(60, 2)), rate=20.0)
    assert len(decisions) == 2
    camera = load_student(next((folder / 'teachers').glob('camera-*/*_best.pth'))).contract
    assert (camera.stream, camera.channels, camera.rate, camera.window) == ('camera', ('camera_hand', 'camera_hip'), 12.5, 25)
    assert camera.hop == 12  # 20 samples at 20 Hz are 12.5 of the camera's


def test_an_exported_graph_reads_the_wrist_alone(run, tmp_path):
    pytest.importorskip('onnxruntime', reason="onnxruntime is not installed: pip install 'mmkd_plugin[export]'")
    folder, _ = run
    (exported,) = export_checkpoint(folder / 'run' / 'student_best.pth', tmp_path, cfg=config(folder, folder / 'run'))
    assert exported.facts['inputs'][0]['shape'][1:] == [2, 40]
    assert exported.facts['comparison']['agreement'] == 1
    assert exported.facts['comparison']['windows'] == 162


BAD = {
    'size': (
        dict(streams=dict(camera=dict(shape=(2, 24)))),
        r'data_preprocessor.streams.camera.shape is \(2, 24\), the windows h',
    ),
    'channels': (
        dict(channels=['wrist_y', 'wrist_x', 'waist_x', 'waist_y']),
        'data_preprocessor.channels are wrist_y, wrist_x, waist_x, waist_y, the data have wrist_x, wrist_y',
    ),
    'stream': (
        dict(streams=dict(camera=dict(shape=(2, 25)), phone=dict(shape=(3, 40)))),
        "data_preprocessor.streams: there is no stream 'phone'; the streams are camera of the data",
    ),
    'pattern': (
        dict(views=dict(PREPROCESSOR['views'], sig=dict(channels='wrst_*'))),
        r"view 'sig': there is no channel 'wrst_\*'",
    ),
}


@pytest.mark.parametrize('kind', BAD)
def test_what_the_data_do_not_have_is_refused_before_training(kind, run):
    folder, _ = run
    changes, message = BAD[kind]
    with pytest.raises(ConfigError, match=message):
        check_config(config(folder, folder / 'bad', {**PREPROCESSOR, **changes}))
