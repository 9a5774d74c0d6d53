import numpy as np
import pytest

from mmkd_plugin.datasets import Manifest, split_oddities, split_table

CLASSES = ('rest', 'walk', 'run', 'fall')


def manifest(**counts):
    """A manifest with these numbers of windows of each class in every split."""
    rows = [(split, label) for split, each in counts.items() for label, count in enumerate(each) for _ in range(count)]
    split, label = (np.array(column) for column in zip(*rows))
    return Manifest(dict(split=split, label=label, subject=np.full(len(rows), 'ann')), CLASSES)


def test_a_table_of_windows_by_class_and_split():
    assert split_table(manifest(train=[1000, 20, 30, 4], val=[5, 6, 7, 8], test=[9, 10, 0, 12])) == [
        'windows of     train       val      test',
        'rest           1,000         5         9',
        'walk              20         6        10',
        'run               30         7         0',
        'fall               4         8        12',
    ]


ODD = {
    'nothing': (dict(train=[10, 10, 10, 10], val=[1, 1, 1, 1], test=[4, 4, 4, 4]), []),
    'two classes that nobody has in training': (
        dict(train=[50, 50, 0, 0], val=[5, 5, 0, 5], test=[40, 41, 9, 10]),
        [
            'no training subject has a window of run, fall: 33.3% of the validation windows and 19.0% of the test windows '
            'cannot be recognised'
        ],
    ),
    'a class that the test lacks': (
        dict(train=[10, 10, 10, 10], val=[1, 1, 1, 1], test=[4, 4, 0, 4]),
        ['test has no window of run: accuracy and macro-F1 are over the others'],
    ),
    'a class that validation lacks': (
        dict(train=[10, 10, 10, 10], val=[0, 1, 1, 1], test=[4, 4, 4, 4]),
        ['validation has no window of rest: the best epoch is chosen without'],
    ),
    'a class that nobody has': (
        dict(train=[10, 10, 10, 0], val=[1, 1, 1, 0], test=[4, 4, 4, 0]),
        ['no split has a window of fall'],
    ),
    'few validation windows': (
        dict(train=[25, 25, 25, 281], val=[1, 1, 1, 1], test=[4, 4, 4, 4]),
        [
            'validation has 4 of the 360 windows that are not tested (1.1%), by which the best epoch is chosen; val= of a '
            "protocol names more subjects, and by='windows' counts their windows"
        ],
    ),
}


@pytest.mark.parametrize('case', ODD)
def test_what_is_wrong_with_the_splits_is_pointed_out(case):
    counts, sentences = ODD[case]
    assert split_oddities(manifest(**counts)) == sentences
