"""Artefacts as they are loaded: good ones, and bad ones, which are refused by name."""

import shutil

import numpy as np
import pytest
from helpers import call

from mmkd_plugin.deploy import load_artifact, load_student
from mmkd_plugin.deploy.artifact import golden_path
from mmkd_plugin.fileio import file_hash, seal, unseal

onnx = pytest.importorskip('onnx', reason="onnx is not installed: pip install 'mmkd_plugin[export]'")
pytest.importorskip('onnxruntime', reason="onnxruntime is not installed: pip install 'mmkd_plugin[export]'")


@pytest.fixture
def artifact(exported, tmp_path):
    """A copy of the float artefact, to be damaged."""
    for file in exported[0].iterdir():
        if file.is_file():
            shutil.copy(file, tmp_path)
    return tmp_path / 'student_best.onnx'


@pytest.mark.parametrize('name', ['student_best.onnx', 'student_best_int8.onnx'])
def test_a_good_artefact_is_loaded(exported, name):
    folder, _ = exported
    done = call('export', folder / name, '--check', folder=folder)
    assert done.stdout == f'{folder}/{name} fits its contract, and gives what it was exported with for 8 golden windows\n'
    artifact, student = load_artifact(folder / name), load_student(folder / 'student_best.pth')
    logits, probabilities = artifact(student.golden['signal'].numpy())
    np.testing.assert_allclose(probabilities.sum(1), 1, rtol=1e-5)
    assert (logits.argmax(1) == student.golden['logits'].numpy().argmax(1)).mean() > 0.7
    with pytest.raises(ValueError, match=r'^signal must be windows \(N, 6, 100\), got \(8, 100, 6\)'):
        artifact(student.golden['signal'].numpy().swapaxes(1, 2))


# What has been done to an artefact, and what is said of it.


def other_contract(path):
    facts = unseal(path.with_suffix('.json'))
    facts['contract']['classes'] = facts['contract']['classes'][::-1]
    path.with_suffix('.json').write_bytes(seal(facts))


def edited_contract(path):
    side = path.with_suffix('.json')
    side.write_text(side.read_text().replace('"rate": 10.0', '"rate": 20.0'))


def other_opset(path):
    model = onnx.version_converter.convert_version(onnx.load(str(path)), 18)
    path.write_bytes(model.SerializeToString())
    enlarge(path)


def enlarge(path):
    facts = unseal(path.with_suffix('.json'))
    path.with_suffix('.json').write_bytes(seal({**facts, 'bytes': path.stat().st_size}))


def truncated(path):
    path.write_bytes(path.read_bytes()[:-100])


def flipped(path):
    content = bytearray(path.read_bytes())
    place = content.index(onnx.load(str(path)).graph.initializer[3].raw_data) + 1
    content[place] ^= 64
    path.write_bytes(bytes(content))


def other_kind(path):
    path.write_bytes(b'\xff' * path.stat().st_size)


def stranger(path):
    model = onnx.load(str(path))
    del model.metadata_props[:]
    path.write_bytes(model.SerializeToString())
    enlarge(path)


def other_golden(path):
    np.savez(golden_path(path), signal=np.zeros(1), logits=np.zeros(1), probabilities=np.zeros(1))


def empty_golden(path):
    """Everything is sealed, and there is no window."""
    with np.load(golden_path(path)) as file:
        arrays = {name: values[:0] for name, values in file.items()}
    seal_golden(path, arrays)


def other_outputs(path):
    """Everything is sealed, and the runtime gives something else."""
    with np.load(golden_path(path)) as file:
        arrays = dict(file)
    arrays['logits'][5] += 0.01
    seal_golden(path, arrays)


def seal_golden(path, arrays):
    np.savez(golden_path(path), **arrays)
    facts = unseal(path.with_suffix('.json'))
    path.with_suffix('.json').write_bytes(seal({**facts, 'golden_sha256': file_hash(golden_path(path))}))


def sealed_without(*names):
    def change(path):
        facts = unseal(path.with_suffix('.json'))
        path.with_suffix('.json').write_bytes(seal({key: facts[key] for key in facts if key not in names}))

    return change


def sealed_with(**fields):
    def change(path):
        facts = unseal(path.with_suffix('.json'))
        path.with_suffix('.json').write_bytes(seal({**facts, 'contract': {**facts['contract'], **fields}}))

    return change


def test_the_files_beside_an_artefact_are_none(exported):
    folder, _ = exported
    with pytest.raises(
        ValueError, match=r'student_best.json is no artefact: \S+/student_best.json speaks of student_best.onnx$'
    ):
        load_artifact(folder / 'student_best.json')
    with pytest.raises(FileNotFoundError, match=r'student_best_golden.json does not exist; an artefact is a file with'):
        load_artifact(folder / 'student_best_golden.npz')


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (edited_contract, '{folder}/student_best.json is damaged: its content has changed since it was written'),
        (
            other_contract,
            '{folder}/student_best.onnx and {folder}/student_best.json do not belong together: the student that '
            '{folder}/student_best.json describes was trained on the classes Walking, Standing, Running, Badminton, and the data '
            'have Badminton, Running, Standing, Walking, the same in another order',
        ),
        (
            other_opset,
            '{folder}/student_best.onnx has opset 18, but was exported with opset 17, as {folder}/student_best.json says',
        ),
        (truncated, '{folder}/student_best.onnx is truncated: it has '),
        (flipped, '{folder}/student_best.onnx is damaged: its content has changed since it was written'),
        (other_kind, '{folder}/student_best.onnx: it is damaged, and no ONNX file'),
        (stranger, '{folder}/student_best.onnx: it holds no contract, so `mmkd export` has not made it'),
        (other_golden, '{folder}/student_best_golden.npz is damaged: its content has changed since it was written'),
        (
            empty_golden,
            '{folder}/student_best_golden.npz does not hold windows and outputs as of the contract in {folder}/student_best.json',
        ),
        (
            other_outputs,
            '{folder}/student_best.onnx no longer gives the logits that it was exported with: they differ by 0.01 at golden '
            'window 5, more than 0.0001',
        ),
        (
            lambda path: path.with_suffix('.json').unlink(),
            '{folder}/student_best.json does not exist; an artefact is a file with',
        ),
        (
            lambda path: golden_path(path).unlink(),
            '{folder}/student_best_golden.npz does not exist; {folder}/student_best.json',
        ),
        (sealed_without('contract'), '{folder}/student_best.json is damaged: contract is missing'),
        (sealed_without('opset'), '{folder}/student_best.json is damaged: opset is missing'),
        (sealed_without('bytes', 'tolerance'), '{folder}/student_best.json is damaged: bytes is missing'),
        (
            sealed_with(window='100'),
            '{folder}/student_best.json: the contract in the checkpoint: window must be a number of samples, at least 1, got ',
        ),
        (
            sealed_with(normalizer=0.5),
            "{folder}/student_best.json: the contract in the checkpoint: normalizer must have settings as dict(type='…', …), got 0.5",
        ),
        (
            sealed_with(stream=None),
            '{folder}/student_best.json: the contract in the checkpoint: stream must be a text, got None',
        ),
        (lambda path: path.with_suffix('.json').write_bytes(seal({})), '{folder}/student_best.json is of kind None, expected'),
    ],
)
def test_a_bad_artefact_is_refused_by_name(artifact, change, message):
    change(artifact)
    done = call('export', artifact, '--check', folder=artifact.parent)
    assert (done.returncode, done.stdout) == (1, '')
    assert done.stderr.startswith('error: ' + message.format(folder=artifact.parent))
