"""Embeddings on the page of a report: their similarity, their place on a plane, and the command that computes them."""

import shutil

import numpy as np
import pytest
from helpers import call
from writers.records import record

from mmkd_plugin.experiments import append_record, cells_of, record_of
from mmkd_plugin.experiments.embeddings import (
    Embedding,
    choose_runs,
    linear_cka,
    place,
    separation,
    separation_table,
    similarity_table,
)

RNG = np.random.default_rng(0)
ONE, OTHER = RNG.normal(size=(20, 3)), RNG.normal(size=(20, 5))


def test_cka_is_that_of_centred_gram_matrices():
    centre = np.eye(20) - 1 / 20

    def hsic(a, b):
        return np.trace(centre @ a @ a.T @ centre @ b @ b.T)

    expected = hsic(ONE, OTHER) / np.sqrt(hsic(ONE, ONE) * hsic(OTHER, OTHER))
    assert linear_cka(ONE, OTHER) == pytest.approx(expected)


def test_cka_of_a_rotation_is_one_and_of_a_constant_unknown():
    rotation, _ = np.linalg.qr(RNG.normal(size=(3, 3)))
    assert linear_cka(ONE, 5 * ONE @ rotation + 1) == pytest.approx(1)
    assert linear_cka(ONE, np.ones((20, 2))) is None


def test_a_place_is_the_same_each_time_and_needs_five_windows():
    assert place(ONE).shape == (20, 2)
    assert np.array_equal(place(ONE), place(ONE))
    assert place(ONE[:, :1]).shape == (20, 2)
    assert place(ONE[:4]) is None


def test_separation_is_the_mean_silhouette_of_standardised_features():
    values, groups = ONE * [1, 100, 0.01] + 7, ['a', 'b', 'c', ''] * 5
    features = ((ONE - ONE.mean(0)) / ONE.std(0))[[name != '' for name in groups]]
    names = np.array([name for name in groups if name])
    distances = np.linalg.norm(features[:, None] - features[None], axis=2)
    scores = []
    for row, name in enumerate(names):
        within = distances[row, names == name].sum() / 4
        other = min(distances[row, names == each].mean() for each in {'a', 'b', 'c'} - {name})
        scores.append((other - within) / max(other, within))
    assert separation(values, groups) == pytest.approx(np.mean(scores))


@pytest.mark.parametrize('groups', [['a'] * 20, [''] * 20, list('abcdefghijklmnopqrst')])
def test_one_group_and_windows_that_are_all_apart_have_no_separation(groups):
    assert separation(ONE, groups) is None


def test_networks_are_listed_with_their_separations():
    table = separation_table([embedding('student', 'student', ONE), embedding('sig', 'teacher', OTHER)])
    assert table.title == 'embeddings of 20 windows of watch'
    assert [row[:5] for row in table.rows] == [('student', 'student', 3, None, None), ('sig', 'teacher', 5, None, None)]
    assert [row[5] for row in table.rows] == [None, linear_cka(ONE, OTHER)]


def embedding(name, role, values, windows=tuple('abcdefghijklmnopqrst')):
    return Embedding('watch', name, role, windows, np.zeros(20, int), ('walk',), values, ('ann',) * 20)


def test_students_are_compared_with_teachers_that_saw_the_same_windows():
    teachers = [embedding('teacher sig', 'teacher', ONE), embedding('teacher gaf', 'teacher', OTHER, windows=('x',))]
    table = similarity_table([embedding('kd', 'student', ONE), *teachers])
    assert [column.name for column in table.columns] == ['data', 'network', 'teacher gaf', 'teacher sig']
    assert table.rows == (('watch', 'kd', None, pytest.approx(1)),)
    assert similarity_table([embedding('kd', 'student', ONE)]) is None


def test_of_every_method_the_run_of_the_lowest_fold_and_seed_is_taken():
    runs = [record('kd', {'a': 3}, fold=fold, seed=seed) for fold in (2, 1) for seed in (7, 3)]
    (chosen,) = choose_runs(cells_of(runs))
    assert (chosen[:2], chosen[2]['fold'], chosen[2]['seed']) == (('watch', 'kd'), 1, 3)


def test_the_command_embeds_windows_by_the_checkpoints_of_a_run(tmp_path, entropy_run):
    one = record_of(entropy_run)
    curves = one['curves']
    assert curves['epoch'] == [1]
    assert sum(curves[f'weight_entropy/{name}'][0] for name in ('sig', 'gaf', 'pi')) == pytest.approx(1, abs=1e-4)
    assert curves['loss'][0] == pytest.approx(curves['loss_student'][0] + curves['loss_entropy'][0], abs=1e-4)
    student = next(row for row in one['networks'] if row['role'] == 'student')
    assert curves['val_accuracy'] == [pytest.approx(student['val']['accuracy'])]
    append_record(one, tmp_path / 'runs.jsonl')

    done = call('report', 'runs.jsonl', '--embeddings', folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, '')
    page = (tmp_path / 'report' / 'report.html').read_text()
    assert page.count('aria-label="t-SNE of 40 test windows') == 4
    assert 'Similarity of students and teachers (CKA)' in page
    assert 'mean weights of gaf, pi, sig in the transfer entropy' in page

    student['checkpoint'] = str(shutil.copy(entropy_run / 'student_last.pth', tmp_path / 'other.pth'))
    append_record(one, tmp_path / 'others.jsonl')
    done = call('report', 'others.jsonl', '--embeddings', folder=tmp_path)
    assert done.returncode == 0
    assert done.stderr == (
        f'no embeddings of entropy_kd on basic_motions: {tmp_path}/other.pth is not the checkpoint of student that '
        'the record names\n'
    )
    assert '<p>No embeddings were computed;' in (tmp_path / 'report' / 'report.html').read_text()
