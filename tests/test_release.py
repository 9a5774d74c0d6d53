"""The model zoo of a release, out of a tiny run: files, figures, sums, entries that mim reads, and what is refused."""

import json
import runpy
import shutil
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
import yaml
from modelindex.load_model_index import load

from mmkd_plugin.deploy import load_artifact, load_student
from mmkd_plugin.fileio import read_result

ROOT = Path(__file__).parents[1]
RELEASE = runpy.run_path(str(ROOT / 'tools' / 'dev' / 'release.py'))
URL = 'https://example.org/zoo'
NAMES = ['teacher_sig', 'teacher_gaf', 'teacher_pi', 'entropy_kd_student']


@pytest.fixture(scope='module')
def zoo(tmp_path_factory, entropy_run):
    """The folder that a run is packed into; twice the same run is packed once."""
    out = tmp_path_factory.mktemp('release') / 'zoo'
    RELEASE['release'](out, [entropy_run, entropy_run], URL, 'torchscript')
    return out


def test_every_network_is_packed_once_with_its_figures_and_sums(zoo, entropy_run):
    facts = json.loads((zoo / 'release.json').read_text())
    rows = {row['name']: row for row in read_result(entropy_run)['networks']}
    assert [model['name'] for model in facts['models']] == [f'basic_motions_{name}' for name in NAMES]
    for model in facts['models']:
        row = rows[model['name'].rpartition('_')[2]]
        assert [model[key] for key in ('role', 'view', 'params', 'macs', 'val', 'sha256')] == [
            row[key] for key in ('role', 'view', 'params', 'macs', 'val', 'sha256')
        ]
        assert model['test'] == row['test']['best']
        assert model['weights'] == f'{model["name"]}-{row["sha256"][:8]}.pth'
        assert model['files'][model['weights']] == row['sha256']
    sums = dict(reversed(line.split('  ')) for line in (zoo / 'SHA256SUMS').read_text().splitlines())
    assert sums == {path.name: sha256(path.read_bytes()).hexdigest() for path in zoo.iterdir() if path.name != 'SHA256SUMS'}
    assert {name: sums[name] for model in facts['models'] for name in model['files']} == {
        name: own for model in facts['models'] for name, own in model['files'].items()
    }


def test_every_network_loads_and_gives_its_golden_outputs(zoo):
    for model in json.loads((zoo / 'release.json').read_text())['models']:
        student = load_student(zoo / model['weights'])
        assert student.contract.classes == ('Badminton', 'Running', 'Standing', 'Walking')
        signal = student.golden['signal']
        np.testing.assert_allclose(student(signal).detach(), student.golden['logits'], atol=1e-5)
        if model['name'].endswith('_pi'):
            assert model['no_artifact'].startswith('reads a PersistenceImage, which is computed by a program that no exported')
            assert list(model['files']) == [model['weights']]
            continue
        assert model['no_artifact'] is None
        (path,) = zoo.glob(f'{Path(model["weights"]).stem}*.pt')
        assert load_artifact(path).facts['golden_windows'] == len(signal)


def test_mim_s_index_reads_the_entries(zoo, tmp_path):
    configs = tmp_path / 'configs'
    configs.mkdir()
    shutil.copy(ROOT / 'model-index.yml', tmp_path)
    shutil.copy(ROOT / 'configs' / 'metafile.yml', configs)
    before = {model.name for model in load(str(tmp_path / 'model-index.yml')).models}
    shutil.copy(zoo / 'zoo.yml', configs)
    models = {model.name: model for model in load(str(tmp_path / 'model-index.yml')).models}
    assert models.keys() - before == {f'basic_motions_{name}' for name in NAMES}
    facts = {model['name']: model for model in json.loads((zoo / 'release.json').read_text())['models']}
    for name, own in facts.items():
        model = models[name]
        assert model.weights == f'{URL}/{own["weights"]}'
        assert (ROOT / model.config).is_file()
        assert model.metadata.data['Parameters'] == own['params']
        assert model.results[0].metrics['Accuracy'] == pytest.approx(100 * own['test']['accuracy'], abs=0.005)
    assert models['basic_motions_entropy_kd_student'].in_collection == models['entropy_kd'].in_collection
    assert 'Weights: basic_motions_teacher_sig-' in RELEASE['to_index']({'url': '', 'models': list(facts.values())})
    assert all('In Collection' not in entry for entry in yaml.safe_load((zoo / 'zoo.yml').read_text())['Models'][:3])


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (lambda result: result.update(quick=True), r'.*/run is a first look \(--quick\), and no result'),
        (lambda result: result['networks'][-1].update(sha256='0'), 'student_best.pth is not the checkpoint of student that .*'),
    ],
)
def test_what_is_no_result_is_not_released(change, message, entropy_run, tmp_path):
    result = read_result(entropy_run)
    change(result)
    (tmp_path / 'run').mkdir()
    (tmp_path / 'run' / 'result.json').write_text(json.dumps(result))
    with pytest.raises(ValueError, match=message):
        RELEASE['release'](tmp_path / 'zoo', [tmp_path / 'run'])
    assert [path.name for path in tmp_path.iterdir()] == ['run']
    with pytest.raises(ValueError, match='run exists already'):
        RELEASE['release'](tmp_path / 'run', [entropy_run])
