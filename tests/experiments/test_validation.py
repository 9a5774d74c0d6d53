"""Teachers below the student trained alone, by the figures on validation that records hold."""

from writers.records import record

from mmkd_plugin.experiments import cells_of
from mmkd_plugin.experiments.cells import SCRATCH
from mmkd_plugin.experiments.report import build_report, to_markdown
from mmkd_plugin.experiments.validation import teachers_below_baseline

RIGHT = {'s0': 60, 's1': 65}


def taught(gaf, sig, fold=0, data='watch', seed=0, **fields):
    """A run whose teachers have these accuracies on validation; the student trained alone has 0.5, as all of these records."""
    teachers = {'gaf': (gaf, RIGHT), 'sig': (sig, RIGHT)}
    return record('kd', RIGHT, data=data, fold=fold, seed=seed, n=100, teachers=teachers, **fields)


def test_teachers_below_the_student_alone_on_validation_are_named():
    records = [record(SCRATCH, RIGHT, n=100), taught(0.4, 0.5)]
    (note,) = (note for note in build_report(records).notes if 'validation' in note)
    assert note == 'watch: teacher gaf is below the student trained alone on validation: 40.00 % against 50.00 %'
    assert f'- {note}\n' in to_markdown(build_report(records))
    lacking = taught(0.4, None, windows={'lacking': {'train': {'camera': 1}, 'val': {'camera': 2}}})
    assert teachers_below_baseline(cells_of([record(SCRATCH, RIGHT, n=100), lacking])) == [
        f'{note}, each on the windows that have what it reads'
    ]


def test_teachers_are_compared_by_means_over_folds_of_the_same_windows():
    base = [record(SCRATCH, RIGHT, fold=fold, n=100) for fold in (0, 1, 2)]
    own = [taught(gaf, 0.6, fold) for fold, gaf in enumerate((0.2, 0.55, 0.45))]
    mean_of = 'teacher gaf is below the student trained alone on validation: {:.2f} % against 50.00 %'
    (sentence,) = teachers_below_baseline(cells_of([*base, *own]))
    assert sentence == f'watch: {mean_of.format(40)}, means over 3 folds, in 2 of which it is below'
    other = taught(0.2, 0.6, 0, fingerprints={'config': 'x', 'data': 'other windows'})
    (sentence,) = teachers_below_baseline(cells_of([*base, other, own[2]]))
    assert sentence == f'watch: {mean_of.format(45)}'
    assert teachers_below_baseline(cells_of([*base, other])) == []
    assert teachers_below_baseline(cells_of([taught(0.2, 0.2)])) == []  # nobody to compare with
