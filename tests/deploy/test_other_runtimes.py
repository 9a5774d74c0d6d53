"""Students in runtimes whose packages are not installed for tests: ExecuTorch, and TensorFlow Lite. Without them most is skipped."""

import importlib.util
import io
import sys
import zipfile

import numpy as np
import pytest
import torch
from helpers import call
from students import FIELD, NETWORKS, SMALL, TINY_DATA, random_student, tiny_loader, write_random_student

from mmkd_plugin.deploy import load_artifact, load_student
from mmkd_plugin.deploy.artifact import difference
from mmkd_plugin.deploy.formats import FORMATS
from mmkd_plugin.deploy.formats.base import CONTRACT, append_contract, contract_inside
from mmkd_plugin.deploy.formats.planar import as_planar
from mmkd_plugin.deploy.verify import TOLERANCE, run_student
from mmkd_plugin.fileio import unseal

NEEDED = {'executorch': 'executorch', 'tflite': 'litert_torch'}


@pytest.mark.parametrize('kind', NEEDED)
def test_a_student_is_itself_in_the_runtime_and_a_changed_file_is_refused(kind, tmp_path):
    if importlib.util.find_spec(NEEDED[kind]) is None:
        pytest.skip(f"{NEEDED[kind]} is not installed: pip install 'mmkd_plugin[{kind}]'")
    path = write_random_student(tmp_path)
    done = call('export', path, '--format', kind, '--max-params', 10, folder=tmp_path)
    file = tmp_path / f'student_best_{kind}{FORMATS[kind].suffix}'
    assert done.returncode == 1
    assert f'{file}: {kind}, float32, signal (1, 6, 100) to logits (1, 4) and probabilities (1, 4)\n' in done.stdout
    assert '100.00 % the same class in 8 windows (golden windows of the checkpoint)' in done.stdout
    assert ('  arena ' in done.stdout) == (kind == 'tflite' and importlib.util.find_spec('tflite_micro') is not None)
    assert done.stderr.endswith(f'{file}: it has 60,868 parameters, more than --max-params 10; the file is kept\n')
    artifact, student = load_artifact(file), load_student(path)
    windows = tiny_loader()[1].dataset.data_list
    signal = np.stack([windows.signal(index).T for index in range(12)]).astype(np.float32)
    assert max(map(np.max, difference(run_student(student)(signal), artifact(signal)).values())) < TOLERANCE
    facts = unseal(file.with_suffix('.json'))
    assert facts['contract'] == student.contract.to_meta()
    assert facts['budget']['arena'] is None or 30_000 < facts['budget']['arena'] < 45_000  # bytes
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 64
    file.write_bytes(content)
    with pytest.raises(ValueError, match=f'{file.name} is damaged: its content has changed since it was written'):
        load_artifact(file)
    file.write_bytes(content[:-9])
    with pytest.raises(ValueError, match=f'{file.name} is truncated: it has '):
        load_artifact(file)


def test_a_model_of_tensorflow_lite_is_quantised(tmp_path):
    pytest.importorskip('litert_torch', reason="litert_torch is not installed: pip install 'mmkd_plugin[tflite]'")
    path = write_random_student(tmp_path)
    done = call('export', path, '--format', 'tflite', '--int8', '--max-drop', 100, *TINY_DATA, folder=tmp_path)
    assert done.returncode == 0
    assert 'class Running' in done.stdout
    float32, int8 = (unseal(tmp_path / f'student_best_tflite{tag}.json') for tag in ('', '_int8'))
    assert (int8['format'], int8['precision'], int8['inputs'][0]['dtype']) == ('tflite', 'int8', 'float32')
    assert int8['bytes'] < 0.6 * float32['bytes']
    if float32['budget']['arena']:
        assert int8['budget']['arena'] < 0.6 * float32['budget']['arena']
    artifact, student = load_artifact(tmp_path / 'student_best_tflite_int8.tflite'), load_student(path)
    windows = tiny_loader()[1].dataset.data_list
    signal = np.stack([windows.signal(index).T for index in range(40)]).astype(np.float32)
    for count in (1, 40):  # every channel has a unit of its own, which one scale for all would lose
        apart = difference(run_student(student)(signal[:count]), artifact(signal[:count]))
        assert apart['probabilities'].max() < 0.2
    assert np.ptp(artifact(signal)[0], 0).max() > 0.05


@pytest.mark.parametrize(
    ('kind', 'message'),
    [
        ('executorch', "executorch, which is not installed. Run: pip install 'mmkd_plugin[executorch]'\n"),
        (
            'tflite',
            "litert-torch, which is not installed. Run: pip install 'mmkd_plugin[tflite]' (with jax, transformers and older "
            'releases of some packages, so best in an environment of its own: python -m venv tflite && tflite/bin/pip install '
            "'mmkd_plugin[tflite]', and then tflite/bin/mmkd export)\n",
        ),
    ],
)
def test_without_the_extra_the_command_says_what_to_install(kind, message, exported, monkeypatch):
    monkeypatch.setitem(sys.modules, NEEDED[kind], None)
    done = call('export', exported[0] / 'student_best.pth', '--format', kind, folder=exported[0])
    assert (done.returncode, done.stderr) == (1, f'error: an export needs {message}')


def test_the_contract_lies_at_the_end_of_a_file():
    content = append_contract(b'program', '{"rate": 50}')
    assert content.startswith(b'program')
    assert content == append_contract(b'program', '{"rate": 50}')
    assert contract_inside(content, 'program') == '{"rate": 50}'
    with pytest.raises(ValueError, match='it is damaged, and no program'):
        contract_inside(b'program', 'program')


def test_a_contract_that_could_unpack_to_any_size_is_refused():
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, 'w', zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(CONTRACT, bytes(2**24))
    assert len(bomb.getvalue()) < 2**15
    with pytest.raises(ValueError, match='its contract is compressed, as `mmkd export` leaves none'):
        contract_inside(bomb.getvalue(), 'program')


@pytest.mark.parametrize('name', ['WRN16-1', 'ResNet1d', 'MobileNetV2_1d'])
def test_a_network_over_time_is_one_over_images_of_one_row(name):
    student = with_windows(random_student(*NETWORKS[name]))
    planar = as_planar(student)
    kinds = {type(module) for module in planar.modules()}
    assert torch.nn.Conv2d in kinds
    assert torch.nn.Conv1d not in kinds
    with torch.no_grad():
        torch.testing.assert_close(planar(student.golden['signal']), student.golden['logits'], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize('parts', [NETWORKS['VGG1d'], (FIELD, SMALL)])
def test_a_network_that_cannot_be_one_over_images_stays_as_it_is(parts):
    student = with_windows(random_student(*parts))
    assert as_planar(student) is student


def with_windows(student):
    signal = torch.from_numpy(np.random.default_rng(0).normal(size=(3, 6, 100)).astype(np.float32))
    with torch.no_grad():
        student.golden = {'signal': signal, 'logits': student(signal)}
    return student
