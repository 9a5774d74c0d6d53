"""Entries of a config as dataclasses."""

from dataclasses import dataclass

import pytest

from mmkd_plugin.structures import build_fields, check_number, field_faults, suggest


@dataclass(frozen=True)
class Entry:
    view: str
    weight: float = 1.0

    def __post_init__(self):
        check_number('weight', self.weight)


@pytest.mark.parametrize(
    ('cfg', 'faults'),
    [
        (dict(view='sig', weigth=1), ["here: there is no field 'weigth'; did you mean 'weight'? The fields are view, weight"]),
        (dict(view='sig', colour=1), ["here: there is no field 'colour'; the fields are view, weight"]),
        (dict(), ['here needs view']),
        (
            dict(veiw='sig', colour=1),
            [
                "here: there is no field 'veiw'; did you mean 'view'? The fields are view, weight",
                "here: there is no field 'colour'; the fields are view, weight",
                'here needs view',
            ],
        ),
        (3, ['here must be a dict of fields, got 3']),
        (dict(view='sig', weight=-1), ['here: weight must be a number of at least 0, got -1']),
    ],
)
def test_every_fault_of_an_entry_is_named(cfg, faults):
    assert field_faults(Entry, cfg, 'here') == faults
    with pytest.raises(ValueError, match='here') as caught:
        build_fields(Entry, cfg, 'here')
    assert str(caught.value) == '\n'.join(faults)


def test_a_good_entry_becomes_an_object():
    assert build_fields(Entry, dict(view='sig'), 'here') == Entry('sig')
    entry = Entry('gaf', 2)
    assert build_fields(Entry, entry, 'here') is entry


@pytest.mark.parametrize('value', ['1', None, True, float('nan'), float('inf'), -1, [1]])
def test_what_is_no_number_from_zero_is_refused(value):
    with pytest.raises(ValueError, match='x must be a number of at least 0, got '):
        check_number('x', value)


def test_a_number_may_have_two_limits():
    assert check_number('x', 1, high=1) == 1.0
    with pytest.raises(ValueError, match='x must be a number from 0 to 1, got 1.5'):
        check_number('x', 1.5, high=1)


def test_a_suggestion_is_a_near_name_or_nothing():
    assert suggest('wieght', ['weight', 'view']) == "did you mean 'weight'?"
    assert suggest('colour', ['weight', 'view']) == ''
