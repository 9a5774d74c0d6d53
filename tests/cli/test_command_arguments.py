import argparse

import pytest

from mmkd_plugin.cli.arguments import add_config_arguments, parse_options, repeat


@pytest.fixture
def parser():
    parser = argparse.ArgumentParser()
    add_config_arguments(parser)
    return parser


@pytest.mark.parametrize(
    ('text', 'value'),
    [
        ('data/HAPT Data Set', 'data/HAPT Data Set'),  # the host's action would take the blanks out
        ("'a b'", 'a b'),
        ('"/a/b, c"', '/a/b, c'),
        ('/a/b, c', '/a/b, c'),  # as a shell passes it on
        ('[/a,"b, c"]', ['/a', 'b, c']),
        ('3', 3),
        ('"3"', '3'),
        ('0.5', 0.5),
        ('1e-4', 1e-4),
        ('true', True),
        ('None', None),
        ('1,2', [1, 2]),
        ("'a','b, c'", ['a', 'b, c']),
        ('1,', [1]),
        ('[]', []),
        ('[a, b]', ['a', 'b']),
        ('(1,2),(3,4)', [(1, 2), (3, 4)]),
        ('[(1, 2), c]', [(1, 2), 'c']),
        ('x=y', 'x=y'),
        ('', ''),
    ],
)
def test_values_of_options(text, value, parser):
    words = ['--cfg-options', f'some.key={text}', '--fold', '2', '--data', 'hapt', '--quick']
    args = parser.parse_args(['leaf.py', *words])
    assert parse_options(args.cfg_options) == {'some.key': value}
    assert type(parse_options(args.cfg_options)['some.key']) is type(value)
    assert (args.config, args.data, args.fold, args.quick) == ('leaf.py', 'hapt', 2, True)


def test_options_that_were_given_are_given_again(parser):
    words = ['--fold', '0', '--cfg-options', 'a=1', 'b=x y', '--cfg-options', 'c=[1,2]']
    args = parser.parse_args(['leaf.py', *words])
    assert parse_options(args.cfg_options) == dict(a=1, b='x y', c=[1, 2])
    assert repeat(args, 'cfg_options', 'fold') == ['--cfg-options', 'a=1', 'b=x y', 'c=[1,2]', '--fold', '0']
    assert repeat(parser.parse_args(['leaf.py']), 'cfg_options', 'fold') == []


@pytest.mark.parametrize('word', ['checkpoint.pth', '=3', ''])
def test_what_is_no_pair_is_refused(word, parser, capsys):
    with pytest.raises(SystemExit, match='^2$'):
        parser.parse_args(['leaf.py', '--cfg-options', word])
    assert f'{word!r} is not of the form KEY=VALUE' in capsys.readouterr().err


def test_brackets_must_be_balanced():
    with pytest.raises(ValueError, match=r"a\.b: the brackets of '\[1,2' are not balanced"):
        parse_options(['a.b=[1,2'])
