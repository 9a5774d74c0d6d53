import pytest

from mmkd_plugin.datasets import FixedFolds, GroupedKFold, HoldOut, LeaveOneSubjectOut, resolve_subjects
from mmkd_plugin.datasets.names import natural

PEOPLE = [str(i) for i in range(1, 13)]  # '10' comes after '9', not after '1'


def test_every_subject_is_left_out_once_in_natural_order():
    folds = [LeaveOneSubjectOut(fold=i, val=2).split(PEOPLE) for i in range(12)]
    assert [fold['test'] for fold in folds] == [[p] for p in PEOPLE]
    assert folds[0]['val'] == ['2', '3']
    assert folds[11]['val'] == ['1', '2']
    assert sorted(p for fold in folds for p in fold['val']) == sorted(PEOPLE * 2)  # everybody validates twice


@pytest.mark.parametrize(
    'protocol',
    [
        LeaveOneSubjectOut(fold=4, val=0.25),
        GroupedKFold(k=5, fold=1, val=0.2),
        HoldOut(test=0.3, fold=2, val=3),
        FixedFolds(tested=[['3', '4'], ['7']], fold=1),
    ],
    ids=lambda p: type(p).__name__,
)
def test_everybody_stands_in_one_split(protocol):
    split = protocol.split(PEOPLE)
    assert sorted([*split['train'], *split['val'], *split['test']]) == sorted(PEOPLE)
    assert all(split.values())


def test_groups_are_a_partition_of_about_equal_sizes():
    tested = [GroupedKFold(k=5, fold=i).split(PEOPLE)['test'] for i in range(5)]
    assert sorted(p for group in tested for p in group) == sorted(PEOPLE)
    assert {len(group) for group in tested} == {2, 3}
    assert tested[0] == GroupedKFold(k=5, fold=0).split(list(reversed(PEOPLE)))['test']  # whatever order they come in
    assert tested != [GroupedKFold(k=5, fold=i, seed=1).split(PEOPLE)['test'] for i in range(5)]


def test_a_hold_out_is_a_share_drawn_by_the_seed():
    first = HoldOut(test=0.25).split(PEOPLE)
    assert len(first['test']) == 3
    assert first == HoldOut(test=0.25).split(PEOPLE)
    assert first['test'] != HoldOut(test=0.25, fold=1).split(PEOPLE)['test']


def test_who_validates_may_be_named_for_every_fold():
    folds = [FixedFolds(tested=[['1', '2'], ['1', '2']], val=[['3', '5'], [4]], fold=i).split(PEOPLE) for i in range(2)]
    assert [fold['val'] for fold in folds] == [['3', '5'], ['4']]
    assert [fold['train'] for fold in folds] == [[p for p in PEOPLE if p not in held] for held in ({*'1235'}, {*'124'})]


def test_a_config_names_a_protocol():
    result = resolve_subjects(dict(type='LeaveOneSubjectOut', fold=9, val=1), PEOPLE)
    assert result['test'] == ('10',)
    assert result['val'] == ('11',)


@pytest.mark.parametrize(
    ('make', 'message'),
    [
        (lambda: LeaveOneSubjectOut(fold='①'), "fold of a protocol must be a whole number, got '①'"),
        (lambda: LeaveOneSubjectOut(fold=True), 'fold of a protocol must be a whole number, got True'),
        (lambda: GroupedKFold(k=2.5), r'k of a protocol must be a whole number, got 2\.5'),
        (lambda: HoldOut(test=['1']), r"test must be a share of the subjects, between 0 and 1; got \['1'\]"),
        (lambda: LeaveOneSubjectOut(fold=12).split(PEOPLE), 'there are folds 0 to 11 of 12 subjects, got fold=12'),
        (lambda: LeaveOneSubjectOut(fold=-1).split(PEOPLE), 'there are folds 0 to 11'),
        (lambda: LeaveOneSubjectOut(val=11).split(PEOPLE), 'no subject is left to train'),
        (
            lambda: LeaveOneSubjectOut(val=0),
            'val must be a number of subjects from 1, a share below 1, or a list of names; got 0',
        ),
        (lambda: LeaveOneSubjectOut(val=True), 'got True'),
        (lambda: LeaveOneSubjectOut(val=[]), r'got \[\]'),
        (lambda: LeaveOneSubjectOut(val=['1', 'x']).split(PEOPLE), 'val: there is no subject x; the data have 1, 2, 3'),
        (
            lambda: LeaveOneSubjectOut(val=['3', 1]).split(PEOPLE),
            'val: subject 1 is tested in fold 0, and cannot validate there',
        ),
        (lambda: LeaveOneSubjectOut(val=2, by='windows'), "'windows' where val is a share; got by='windows' and val=2"),
        (lambda: LeaveOneSubjectOut(val=0.2, by='hours'), "by must be 'subjects', or 'windows' where val is a share"),
        (lambda: LeaveOneSubjectOut(val=0.2, by='windows').split(PEOPLE), 'needs the number of windows of each subject'),
        (lambda: HoldOut(fold=-1).split(PEOPLE), 'the fold of a hold-out is a number from 0, got fold=-1'),
        (lambda: LeaveOneSubjectOut(val=1.5), 'got 1.5'),
        (lambda: GroupedKFold(k=13).split(PEOPLE), 'k must be from 2 to the number of subjects, 12; got 13'),
        (lambda: HoldOut(test=1.0), 'test must be a share of the subjects, between 0 and 1; got 1.0'),
        (lambda: FixedFolds(tested=[['x']]).split(PEOPLE), 'there is no subject x'),
        (lambda: FixedFolds(tested=[['1']], val=[['2'], ['3']]), 'val has the subjects of 2 folds, tested those of 1'),
        (lambda: FixedFolds(tested=[['1']], val=[['2']], fold=1).split(PEOPLE), 'there are folds 0 to 0 of 12 subjects'),
        (lambda: FixedFolds(tested=[['1']], val=[[]]), r'got \[\]'),
        (lambda: GroupedKFold(k=2, val=[['1'], ['2']]), r"got \[\['1'\], \['2'\]\]"),
    ],
)
def test_what_cannot_be_is_said(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_names_of_the_data_are_taken_literally():
    people = ['P[1]', 'P1', 'P*', 'P?', 'Q1', 'Q2']
    for index, subject in enumerate(sorted(people, key=natural)):
        assert resolve_subjects(dict(type='LeaveOneSubjectOut', fold=index), people)['test'] == (subject,)
    assert resolve_subjects(dict(train=['P*', 'Q1'], val=['P[1]'], test=['P1']), people) == dict(
        train=('P*', 'Q1'), val=('P[1]',), test=('P1',)
    )
    result = resolve_subjects(dict(train=['P?', 'P1'], val=['Q1'], test=['Q[2-9]']), people)  # 'P?' is a subject, no pattern
    assert result == dict(train=('P1', 'P?'), val=('Q1',), test=('Q2',))


def test_validation_subjects_can_be_named():
    split = LeaveOneSubjectOut(fold=0, val=['12', 5]).split(PEOPLE)
    assert split['val'] == ['12', '5']
    assert split['train'] == ['2', '3', '4', '6', '7', '8', '9', '10', '11']


def test_validation_can_have_a_share_of_the_windows():
    """Subject 2 has one window of a hundred, so that it alone would validate by chance."""
    windows = {**dict.fromkeys(PEOPLE, 10), '2': 1}
    assert LeaveOneSubjectOut(fold=0, val=0.1, by='windows').split(PEOPLE, windows)['val'] == ['2', '3']
    assert LeaveOneSubjectOut(fold=0, val=0.1).split(PEOPLE)['val'] == ['2']
    result = resolve_subjects(dict(type='LeaveOneSubjectOut', val=0.5, by='windows'), PEOPLE, lambda: windows)
    assert result['val'] == ('2', '3', '4', '5', '6', '7')  # 1 + 5 · 10 of 101, at least half


def test_a_hold_out_of_any_number_costs_one_draw():
    split = HoldOut(fold=10**9).split(PEOPLE)
    assert split == HoldOut(fold=10**9).split(PEOPLE)
    assert len(split['test']) == 2
