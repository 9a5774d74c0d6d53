"""Fine-tuning with fake quantisation: the grid is that of the int8 artefact, and the student learns on it."""

import copy

import numpy as np
import pytest
import torch
from helpers import TINY, call
from students import NETWORKS, random_student, tiny_loader, write_random_student

from mmkd_plugin.apis import load_config
from mmkd_plugin.apis.fine_tune import fine_tuning_config
from mmkd_plugin.deploy import load_artifact, load_student
from mmkd_plugin.deploy.formats import FORMATS
from mmkd_plugin.deploy.quantize import quantize
from mmkd_plugin.fileio import load_checkpoint, read_result, state_fingerprint, unseal
from mmkd_plugin.models.distillers import QuantizedNetwork, observe_ranges
from mmkd_plugin.registry import MODELS

onnx = pytest.importorskip('onnx', reason="onnx is not installed: pip install 'mmkd_plugin[export]'")
pytest.importorskip('onnxruntime', reason="onnxruntime is not installed: pip install 'mmkd_plugin[export]'")
KD = ('--config', 'kd', '--data', TINY)


def quantized(student, signal):
    """The network of a student on its grid, and what it reads."""
    samples = student.encode(torch.from_numpy(signal))
    ranges = observe_ranges(student.network, [samples[:30], samples[30:]])
    sizes = dict(sample_shape=tuple(samples.shape[1:]), num_classes=4)
    network = QuantizedNetwork(ranges, **sizes, **student.contract.network)
    network.load_state_dict(student.network.state_dict())
    return network.eval(), samples


@pytest.mark.parametrize('name', ['WRN16-1', 'ResNet1d'])
def test_the_grid_is_that_of_the_int8_artefact(name):
    student, windows = random_student(*NETWORKS[name]), tiny_loader()[1].dataset.data_list
    signal = np.stack([windows.signal(index).T for index in range(len(windows))]).astype(np.float32)
    content = quantize(FORMATS['onnx'].pack(student, '{}'), '{}', [signal[:30], signal[30:]])
    network, samples = quantized(student, signal)
    graph = onnx.load_from_string(content).graph
    constants = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in graph.initializer}
    written = [node.input[1:] for node in graph.node if node.op_type == 'QuantizeLinear']
    expected = [(float(constants[scale]), int(constants[zero])) for scale, zero in written]
    grids = np.array([grid for grid in network._grids if grid is not None])
    for scale, zero in expected:
        apart = np.abs(grids[:, 0] / scale - 1) + np.abs(grids[:, 1] - zero)
        assert apart.min() < 1e-5
    with torch.no_grad():
        logits = network(samples).logits.numpy()
    int8, float32 = FORMATS['onnx'].start(content)(signal)[0], student(torch.from_numpy(signal)).detach().numpy()
    # What is left are values in the middle between two steps, which rounding takes one way or the other.
    assert np.abs(logits - int8).mean() < 0.5 * np.abs(float32 - int8).mean()


def test_the_network_learns_on_the_grid_and_its_batch_norms_stand_still():
    network, samples = quantized(random_student(), np.random.default_rng(0).normal(size=(40, 6, 100)).astype(np.float32))
    before = {key: value.clone() for key, value in network.state_dict().items()}
    network.train()
    optimizer = torch.optim.SGD(network.parameters(), lr=0.01)
    losses = []
    for _ in range(4):
        loss = torch.nn.functional.cross_entropy(network(samples).logits, torch.arange(40) % 4)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0]
    assert all(parameter.grad is not None and parameter.grad.abs().sum() > 0 for parameter in network.parameters())
    changed = {key.rpartition('.')[2] for key, value in network.state_dict().items() if not torch.equal(value, before[key])}
    assert changed == {'weight', 'bias'}
    network._grids = network._grids[:-1]
    with pytest.raises(ValueError, match='the ranges are of another network: there are 55, and more were expected'):
        network(samples)
    network._grids = [*network._grids, *network._grids[:2]]
    with pytest.raises(ValueError, match='the ranges are of another network: there are 57, 56 were expected'):
        network(samples)


@pytest.fixture
def student(tmp_path):
    """Path of a student without a run, and options that give it a teacher that has learned nothing."""
    teacher = dict(type='WideResNet', dim=1, depth=16, widen_factor=3)
    (tmp_path / 'teacher').mkdir()
    path = write_random_student(tmp_path / 'teacher', {}, teacher)
    return write_random_student(tmp_path), f'model.teachers.sig.checkpoint={path}'


def test_a_student_is_fine_tuned_by_its_teacher_and_exported(student, tmp_path):
    path, teacher = student
    words = ('--int8', '--qat', 1, '--max-drop', 100, *KD, '--cfg-options', teacher)
    done = call('export', path, '--folder', tmp_path / 'out', *words, folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, '')
    head = next(line for line in done.stdout.splitlines() if 'int8 qat' in line)
    assert head.split()[-4:] == ['float32', 'int8', 'int8', 'qat']
    tuned = load_student(tmp_path / 'out' / 'student_best_qat.pth')
    assert tuned.contract.network == load_student(path).contract.network
    assert tuned.contract.weights == state_fingerprint(tuned.network.state_dict()) != load_student(path).contract.weights
    result = read_result(tmp_path / 'out' / 'student_best_qat')
    assert tuned.contract.figures['test'] == result['networks'][-1]['test']['best']
    cfg = load_checkpoint(tmp_path / 'out' / 'student_best_qat.pth')['meta']['cfg']
    assert "type='QuantizedNetwork'" in cfg
    assert 'lr=0.012' in cfg  # a tenth of the config's
    artifact = load_artifact(tmp_path / 'out' / 'student_best_qat_int8.onnx')
    assert artifact.contract == tuned.contract
    facts = unseal(tmp_path / 'out' / 'student_best_qat_int8.json')
    assert [*facts['accuracy']['rows'][0]] == ['kind', 'name', 'windows', 'float32', 'int8', 'int8 qat']
    assert [*facts['budget']['latency']] == ['artefact', 'pytorch', 'teacher sig']
    assert done.stdout.count(', teacher sig ') == 3  # of each artefact's card


@pytest.mark.parametrize(
    ('words', 'message'),
    [
        (KD, "error: teacher 'sig' has not been trained: there is no result.json in "),
        (
            ('--config', 'progressive_kd', '--data', TINY),
            'error: --qat trains by one objective, and --config has phases; leave them',
        ),
        (
            ('--config', 'teachers/sig', '--data', TINY),
            "error: --qat trains by --config, whose learner 'sig' is another network",
        ),
    ],
)
def test_a_run_that_cannot_go_on_is_refused_before_anything_is_written(student, words, message, tmp_path):
    done = call('export', student[0], '--folder', tmp_path / 'out', '--int8', '--qat', 1, *words, folder=tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith(message)
    assert not (tmp_path / 'out').exists()


def test_what_a_run_has_trained_beside_its_student_must_lie_beside_it(student, tmp_path):
    path, teacher = student
    words = ('--int8', '--qat', 1, '--config', 'fitnet', '--data', TINY, '--cfg-options', teacher)
    done = call('export', path, '--folder', tmp_path / 'out', *words, folder=tmp_path)
    assert done.returncode == 1
    assert done.stderr == (
        f'error: --qat goes on from {path}, and the run has trained transfers.fitnet too: no best_*.pth that holds them lies beside '
        'it. Leave them out: --cfg-options model.transfers.fitnet=None\n'
    )


def test_connectors_go_on_from_the_checkpoint_of_the_run(student, tmp_path):
    path, teacher = student
    cfg = load_config('fitnet', data=TINY, cfg_options=dict([teacher.split('=')]))
    model = MODELS.build(copy.deepcopy({'data_preprocessor': cfg.data_preprocessor, **cfg.model}))
    loaded = load_student(path)
    other = tmp_path / 'best_accuracy_epoch_1.pth'
    torch.save(dict(state_dict=model.state_dict()), other)
    with pytest.raises(ValueError, match='has trained transfers.fitnet too'):  # a student of another run lies beside it
        fine_tuning_config(cfg, loaded, path, 2, tmp_path / 'qat')
    model.learners['student'].load_state_dict(loaded.network.state_dict())
    torch.save(dict(state_dict=model.state_dict()), tmp_path / 'best_accuracy_epoch_3.pth')
    tuned = fine_tuning_config(cfg, loaded, path, 2, tmp_path / 'qat')
    assert (tuned.load_from, tuned.train_cfg.max_epochs) == (str(tmp_path / 'best_accuracy_epoch_3.pth'), 2)
    assert tuned.optim_wrapper.optimizer.lr == pytest.approx(0.1 * cfg.optim_wrapper.optimizer.lr)
    assert tuned.model.learners.student.init_from is None
