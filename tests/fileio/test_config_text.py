"""Configs as Python code."""

import fractions
import math

from mmkd_plugin.fileio import format_config


def test_the_text_is_the_config():
    settings = {
        'numbers': [1, 2.5, 1e-3, float('inf'), True, None],
        'texts': ('one',),
        'empty': {'list': [], 'tuple': (), 'dict': {}},
        'odd': {'a key': {'class': 1, 3: 'x'}, "quo'te": 'both " and \''},
        'kinds': dict(type=fractions.Fraction, cast=int),
        'long': dict(text='x' * 200, entries=[dict(name=f'entry {index}', values=list(range(20))) for index in range(3)]),
    }
    text = format_config(settings)
    back: dict = {}
    exec(text, {'fractions': fractions}, back)
    assert back == settings
    assert list(back) == list(settings)
    assert math.isinf(back['numbers'][3])


def test_a_line_is_broken_only_where_it_is_too_long():
    assert format_config({'a': dict(b=[1, 2], c=(3,))}) == 'a = dict(b=[1, 2], c=(3,))\n'
    text = format_config({'a': dict(b=list(range(100)), c='d')})
    assert text.splitlines()[:3] == ['a = dict(', '    b=[', '        0,']
    assert text.splitlines()[-3:] == ['    ],', "    c='d',", ')']
    wide = format_config({'name': [f'{index:030}' for index in range(9)]})
    assert max(map(len, wide.splitlines())) <= 120
