import argparse

import pytest

from mmkd_plugin.apis import add_config_arguments


@pytest.mark.parametrize(
    ('text', 'value'),
    [
        ('data/HAPT Data Set', 'data/HAPT Data Set'),  # the host's action would take the blanks out
        ("'a b'", 'a b'),
        ('3', 3),
        ('0.5', 0.5),
        ('true', True),
        ('None', None),
        ('1,2', [1, 2]),
        ('[a, b]', ['a', 'b']),
        ('[(1, 2), c]', [(1, 2), 'c']),
        ('x=y', 'x=y'),
    ],
)
def test_values_of_options(text, value):
    parser = argparse.ArgumentParser()
    add_config_arguments(parser)
    args = parser.parse_args(['leaf.py', '--cfg-options', f'some.key={text}', '--fold', '2'])
    assert args.cfg_options == {'some.key': value}
    assert (args.config, args.fold) == ('leaf.py', 2)
