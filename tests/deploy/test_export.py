"""Students exported to other runtimes: equal to themselves there, and refused where they are not what their contract says."""

import dataclasses
import sys
from collections import Counter

import numpy as np
import pytest
import torch
from helpers import call, full_disk
from students import NETWORKS, SMALL, TINY_DATA, random_student, tiny_loader, write_random_student

from mmkd_plugin.apis import export_checkpoint, export_faults
from mmkd_plugin.deploy import Accuracy, Limits, load_artifact, load_student
from mmkd_plugin.deploy.artifact import difference
from mmkd_plugin.deploy.formats import FORMATS
from mmkd_plugin.deploy.verify import TOLERANCE, run_student
from mmkd_plugin.fileio import unseal
from mmkd_plugin.registry import MODELS

onnx = pytest.importorskip('onnx', reason="onnx is not installed: pip install 'mmkd_plugin[export]'")
pytest.importorskip('onnxruntime', reason="onnxruntime is not installed: pip install 'mmkd_plugin[export]'")


@pytest.mark.parametrize('network', NETWORKS)
def test_a_network_is_itself_in_onnxruntime_for_any_number_of_windows(network):
    student = random_student(*NETWORKS[network])
    windows = tiny_loader()[1].dataset.data_list
    signal = np.stack([windows.signal(index).T for index in range(len(windows))]).astype(np.float32)
    content = FORMATS['onnx'].pack(student, '{}')
    run = FORMATS['onnx'].start(content)
    expected = run_student(student)(signal)
    assert np.ptp(expected[0], 0).max() > 0.05  # windows differ
    for count in (1, 7, 40):
        apart = difference([values[:count] for values in expected], run(signal[:count]))
        assert max(map(np.max, apart.values())) < TOLERANCE
    graph = onnx.load_from_string(content).graph
    readers = Counter(name for node in graph.node for name in node.input)
    folding = {name for node in graph.node if node.op_type == 'Conv' for name in node.output if readers[name] == 1}
    assert not [node for node in graph.node if node.op_type == 'BatchNormalization' and node.input[0] in folding]


def test_the_command_says_how_equal_and_how_costly_the_artefacts_are(exported):
    folder, text = exported
    assert 'student_best.onnx: onnx, float32, opset 17, signal (N, 6, 100) to logits (N, 4) and probabilities (N, 4)' in text
    assert '100.00 % the same class in 80 windows (40 of test, 8 of val, 32 of train); largest difference: logits ' in text
    for line in (
        'parameters        ',
        'MACs of a window  ',
        'KiB at most',
        'one window, one CPU thread',
        'class Running',
        'all windows',
    ):
        assert line in text
    assert sorted(file.name for file in folder.iterdir() if file.is_file()) == sorted(
        ['student_best.pth']
        + [f'student_best{tag}{end}' for tag in ('', '_int8') for end in ('.onnx', '.json', '_golden.npz', '.h')]
    )


def test_the_contract_lies_beside_the_artefact(exported):
    folder, _ = exported
    facts = unseal(folder / 'student_best.json')
    assert facts['contract'] == load_student(folder / 'student_best.pth').contract.to_meta()
    assert facts['inputs'] == [{'name': 'signal', 'shape': ['N', 6, 100], 'dtype': 'float32'}]
    assert [tensor['name'] for tensor in facts['outputs']] == ['logits', 'probabilities']
    assert (facts['format'], facts['opset'], facts['comparison']['agreement']) == ('onnx', 17, 1.0)
    assert max(facts['comparison']['differences'].values()) < 1e-6
    assert facts['versions'].keys() == {'mmkd_plugin', 'torch', 'onnx', 'onnxruntime'}
    int8 = unseal(folder / 'student_best_int8.json')
    assert int8['precision'] == 'int8'
    assert int8['accuracy']['windows'] == 40
    assert int8['bytes'] < 0.6 * facts['bytes']
    assert int8['budget']['activations'] < 0.6 * facts['budget']['activations']


def test_the_int8_artefact_leaves_the_normaliser_in_float(exported):
    graph = onnx.load(str(exported[0] / 'student_best_int8.onnx')).graph
    first = [node.op_type for node in graph.node if 'signal' in node.input]
    assert first == ['Sub']
    inputs = {node.op_type: node.input[0] for node in graph.node if node.op_type in ('Conv', 'Gemm')}
    dequantized = {name for node in graph.node if node.op_type == 'DequantizeLinear' for name in node.output}
    assert set(inputs.values()) <= dequantized


@pytest.mark.parametrize(
    ('words', 'message'),
    [
        (['--int8'], 'error: --int8 needs --config: its scales are set by training windows, and its accuracy is that of'),
        (['--fold', '0'], 'error: --fold changes a config: name one by --config'),
        (['--data', 'hapt'], 'error: --data changes a config: name one by --config'),
        (['--max-drop', '2'], 'error: --max-drop is of accuracy that int8 costs: it needs --int8'),
        (['--qat', '2'], 'error: --qat fine-tunes a student for int8: it needs --int8'),
        (['--int8', '--qat', '0', *TINY_DATA], 'error: --qat must be 1 epoch or more, got 0'),
        (['--int8', '--max-drop', '-1', *TINY_DATA], 'error: --max-drop must be a number from 0 to 100, got -1.0'),
        (['--check'], 'error: --check takes no --folder'),
        (['--max-ram', '-1'], 'error: --max-ram must be a number above 0, got -1.0'),
        (['--format', 'torchscript', '--max-ram', '9'], 'error: --max-ram is measured over the graph of an ONNX file or'),
        (['--format', 'torchscript', '--int8', *TINY_DATA], 'error: --int8 is made of onnx and tflite, not of torchscript'),
        (
            ['--format', 'tflite', '--int8', '--qat', '1', *TINY_DATA],
            'error: --qat trains on the grid of an ONNX file, not of tflite',
        ),
        (['--config', 'supervised/student', '--data', 'watch'], 'student_best.pth was trained on the classes '),
    ],
)
def test_a_wrong_demand_is_one_sentence_before_anything_is_written(exported, words, message, tmp_path):
    done = call('export', exported[0] / 'student_best.pth', '--folder', tmp_path / 'out', *words, folder=tmp_path)
    assert done.returncode == 1
    assert message in done.stderr
    assert not (tmp_path / 'out').exists()


def test_a_view_that_no_graph_holds_is_refused(tmp_path):
    view = dict(type='PersistenceImage', image_size=8, birth_range=(-4, 4), persistence_range=(0, 8), sigma=0.5)
    path = write_random_student(tmp_path, view, SMALL)
    done = call('export', path, folder=tmp_path)
    assert done.returncode == 1
    assert done.stderr == (
        f'error: {path} reads a PersistenceImage, which is computed by a program that no exported graph can hold. Export a student '
        'that reads the signal or a GramianAngularField: a teacher on a PersistenceImage can be distilled into one\n'
    )


def test_without_the_extra_the_command_says_what_to_install(exported, monkeypatch):
    monkeypatch.setitem(sys.modules, 'onnxruntime', None)
    done = call('export', exported[0] / 'student_best.pth', folder=exported[0])
    assert done.returncode == 1
    assert done.stderr == "error: an export needs onnxruntime, which is not installed. Run: pip install 'mmkd_plugin[export]'\n"


@MODELS.register_module()
class FieldOfArrays(torch.nn.Module):
    """A view of one's own that leaves torch: a trace takes what comes out for a constant."""

    def __init__(self, spread):
        super().__init__()
        self.spread = spread

    def forward(self, signal):
        image = torch.from_numpy(np.cumsum(signal.detach().numpy(), 2))[:, :, None, :].expand(-1, -1, 8, -1).contiguous()
        return image[:1] + 0 * signal[:, :, None, :] if self.spread else image


@pytest.mark.parametrize(
    ('spread', 'message'),
    [
        (False, 'it gives 2 logits for 1 windows, so a part of it is a constant'),
        (
            True,
            'it does not compute what the student does: window golden:0 is the first whose logits differ. Of 8 windows '
            '(golden windows of the checkpoint), ',
        ),
    ],
)
def test_an_artefact_that_is_not_its_student_is_named_and_nothing_else_is_touched(spread, message, tmp_path):
    path = write_random_student(tmp_path, dict(type='FieldOfArrays', spread=spread), SMALL)
    file = tmp_path / 'student_best_torchscript.pt'
    file.write_bytes(b'earlier')
    done = call('export', path, '--format', 'torchscript', folder=tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith(f'error: {file} was not written: {message}')
    kept = tmp_path / 'student_best_torchscript_mismatch.pt'
    assert done.stderr.endswith(f'. The file is kept as {kept}, and no other file was touched\n')
    assert kept.stat().st_size > 10**5
    assert file.read_bytes() == b'earlier'
    assert not file.with_suffix('.json').exists()


@MODELS.register_module()
class BesselField(torch.nn.Module):
    """A view of one's own with a function that ONNX lacks."""

    def forward(self, signal):
        return torch.special.i0(signal.clamp(-1, 1))[:, :, None, :].expand(-1, -1, 8, -1).contiguous()


def test_a_function_that_the_format_lacks_is_named(tmp_path):
    path = write_random_student(tmp_path, dict(type='BesselField'), SMALL)
    done = call('export', path, folder=tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith(
        f'error: {tmp_path}/student_best.onnx cannot be made, since the network does not go into a graph: '
    )
    assert "'aten::i0' to ONNX opset version 17 is not supported" in done.stderr
    assert [file.name for file in tmp_path.iterdir()] == ['student_best.pth']


def test_a_full_disk_leaves_no_half_of_an_artefact(exported, tmp_path):
    with full_disk(100_000):
        done = call('export', exported[0] / 'student_best.pth', '--folder', tmp_path, folder=tmp_path)
    assert done.returncode == 1
    assert f'error: {tmp_path}/student_best.onnx cannot be written: File too large' in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_torchscript_is_exported_and_checked(exported, tmp_path):
    path = exported[0] / 'student_best.pth'
    done = call('export', path, '--format', 'torchscript', '--folder', tmp_path, '--max-params', 10, folder=tmp_path)
    file = tmp_path / 'student_best_torchscript.pt'
    params = sum(parameter.numel() for parameter in load_student(path).network.parameters())
    assert done.returncode == 1
    assert done.stderr == f'fault: {file}: it has {params:,} parameters, more than --max-params 10; the file is kept\n'
    artifact = load_artifact(file)
    student = load_student(path)
    signal = student.golden['signal'].numpy()
    assert max(map(np.max, difference(run_student(student)(signal), artifact(signal)).values())) < 1e-6
    file.write_bytes(file.read_bytes()[:-9])
    with pytest.raises(ValueError, match=r'student_best_torchscript.pt is truncated: it has [\d,]+ of [\d,]+ bytes'):
        load_artifact(file)


def test_faults_of_an_artefact_are_sentences(exported, tmp_path):
    (float32,) = export_checkpoint(exported[0] / 'student_best.pth', tmp_path)
    faults = export_faults([float32], Limits(ram=1.0, latency=1e-6))
    assert len(faults) == 2
    assert f'{tmp_path}/student_best.onnx: its activations take ' in faults[0]
    assert faults[0].endswith(' KiB, more than --max-ram 1; the file is kept')
    assert faults[1].endswith(' ms or longer, more than --max-latency 1e-06; the file is kept')
    assert export_faults([float32], Limits(params=10**6, ram=10**6, latency=10**6)) == []
    int8 = dataclasses.replace(float32, accuracy=Accuracy(80, (('all', 'windows', 80, (0.75, 0.7375)),)))
    sentence = f'{tmp_path}/student_best.onnx: int8 costs 1.25 points of accuracy, more than --max-drop 1; the file is kept'
    assert export_faults([float32, int8]) == [sentence]
    assert export_faults([float32, int8], Limits(drop=1.25)) == []
