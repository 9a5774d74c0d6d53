"""Names that came out of files do nothing where they are shown: on a terminal, in a spreadsheet, in Markdown."""

import contextlib
import csv
import io
import json
import os
import pty
import sys

import numpy as np
import pytest
from helpers import call, write_student
from markdown_it import MarkdownIt
from rich.console import Console

from mmkd_plugin.deploy import Contract, format_decisions
from mmkd_plugin.engine import Reporter
from mmkd_plugin.experiments import Column, Table
from mmkd_plugin.experiments.report import to_csv, to_markdown, to_text
from mmkd_plugin.experiments.watch import LiveDisplay, State
from mmkd_plugin.text import csv_text, markdown_text, printable, printable_output

# Erases the screen, sets the title, links, moves the cursor, writes over the line, turns the direction of writing.
HOSTILE = 'a\x1b[2J\x1b]0;title\x07\x1b]8;;http://x\x1b\\b\x9b31mc\rd\x08e\u202egnp.exe\u2028f\x7f'
SHOWN = r'a\u001b[2J\u001b]0;title\u0007\u001b]8;;http://x\u001b\b\u009b31mc\u000dd\u0008e\u202egnp.exe\u2028f\u007f'
OBEYED = {'\x1b', '\x9b', '\x07', '\x08', '\r', '\u202e', '\u2028', '\x7f'}
FORMULAS = ["=cmd|' /C calc'!A0", '+1+1', '-2+3', '@SUM(A1)', '\t=1', '＝1', '-', '=', '+1;2']
NUMBERS = ['-1', '+1', '-0.5', '-1e3', 'walk', 'a=1', '', '1-1', "'"]


def test_what_a_terminal_obeys_is_written_as_in_json():
    assert printable(HOSTILE) == SHOWN
    assert json.loads(f'"{printable("a" + chr(27) + chr(0x9B) + chr(0x202E))}"') == 'a\x1b\x9b\u202e'
    assert printable('한국어 é ±1 % –\t|\n👟') == '한국어 é ±1 % –\t|\n👟'
    assert printable('a\tb\nc', lines=False) == r'a\u0009b\u000ac'
    assert printable(os.fsdecode(b'\xff.csv')) == r'\udcff.csv'
    assert printable(printable(HOSTILE)) == SHOWN


@pytest.fixture(scope='module')
def hostile(tmp_path_factory):
    """A student with hostile names of classes, and a recording with such a name of a file."""
    folder = tmp_path_factory.mktemp('text')
    statistics = dict(mean=[0.0], std=[1.0], min=[-9.0], max=[9.0])
    contract = Contract(
        classes=('=1+1' + HOSTILE, '-' + HOSTILE),
        channels=('x',),
        rate=10.0,
        window=20,
        hop=20,
        statistics=statistics,
        subjects=('s',),
    )
    write_student(folder / 'student.pth', contract)
    np.savetxt(folder / f'{HOSTILE.replace("/", "")}.csv', np.zeros((40, 1)), header='x', comments='')
    return folder


def call_printing_text(*words, folder):
    """Call a command, and see that nothing it has printed is obeyed by a terminal."""
    done = call(*words, folder=folder)
    assert not OBEYED & set(done.stdout + done.stderr)
    return done


@pytest.mark.parametrize(
    'words',
    [
        ['infer', '--format', 'table'],
        ['infer', '--format', 'csv'],
        ['infer', '--format', 'json'],
        ['stream', '--speed', 'max'],
    ],
)
def test_commands_print_no_name_that_a_terminal_obeys(words, hostile):
    (recording,) = hostile.glob('a*.csv')
    done = call_printing_text(words[0], hostile / 'student.pth', recording, *words[1:], folder=hostile)
    assert done.returncode == 0
    assert SHOWN[:20] in done.stdout
    if words[-1] == 'json':
        assert [list(row['probabilities']) for row in json.loads(done.stdout)] == [['=1+1' + HOSTILE, '-' + HOSTILE]] * 2


@pytest.mark.parametrize(
    'words', [['train', HOSTILE], ['data', 'inspect', HOSTILE], ['doctor', HOSTILE], ['report', HOSTILE], [HOSTILE]]
)
def test_errors_print_no_name_that_a_terminal_obeys(words, tmp_path):
    done = call_printing_text(*words, folder=tmp_path)
    assert done.returncode in (1, 2)
    assert r'\u001b[2J' in done.stderr.replace('\\x1b', '\\u001b')


def test_a_display_on_a_terminal_draws_but_names_do_not():
    """What rich draws has escape sequences; what it is given has none."""
    primary, replica = pty.openpty()
    with os.fdopen(replica, 'w') as terminal, pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, 'stdout', terminal)
        patch.setenv('TERM', 'xterm')
        with printable_output():
            console = Console(file=sys.stdout, highlight=False, width=300)
            assert console.is_terminal
            display = LiveDisplay(console)
            display.show(State(1, 0, 0, {HOSTILE: (0.5, HOSTILE)}, best=HOSTILE))
            display.say(HOSTILE)
            Reporter().write(HOSTILE)  # goes through the display
            display.close()
            sys.stdout.write(HOSTILE)
    pieces = []
    with contextlib.suppress(OSError):  # the end of a terminal that nobody holds any more
        while True:
            pieces.append(os.read(primary, 2**16))
    os.close(primary)
    shown = b''.join(pieces).decode()
    assert '\x1b[?25l' in shown
    assert shown.count(SHOWN) >= 6
    assert not (OBEYED - {'\x1b', '\r'}) & set(shown)
    assert not [part for part in ('\x1b[2J\x1b]', '\x1b]', 'http://x\x1b') if part in shown]


def test_a_progress_bar_returns_to_its_line():
    stream = io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, 'stdout', stream)
        with printable_output():
            sys.stdout.write('\r[>  ] 1/2')
            sys.stdout.writelines(['a\rb', '\n'])
    assert stream.getvalue() == '\r[>  ] 1/2a\\u000db\n'


def test_no_cell_is_a_formula():
    rows = list(csv.reader(io.StringIO(csv_text([FORMULAS, NUMBERS, [-1, -0.5, None, True, 1]]), newline='')))
    assert rows[0] == [f"'{text}" for text in FORMULAS]
    assert list(csv.reader(io.StringIO(csv_text([['a\r=1', 'b\n=1', 'c\x1b[2J']]), newline=''))) == [
        ['a\\u000d=1', 'b\n=1', 'c\\u001b[2J']
    ]
    assert rows[1:] == [NUMBERS, ['-1', '-0.5', '', 'True', '1']]


def test_decisions_and_tables_of_reports_hold_no_formula():
    decision = {'source': '=a.csv', 'recording': '', 'start': 0.0, 'end': 1.0, 'class': '-1+2', 'probability': 1.0}
    text = format_decisions([{**decision, 'probabilities': {'-1+2': 1.0, '-1': 0.0}}], 'csv')
    assert text.splitlines()[1].split(',')[:5] == ["'=a.csv", '', '0.0', '1.0', "'-1+2"]
    table = Table('t', 'title', (Column('=name'), Column('value', 2)), (('@method', -0.5),))
    assert to_csv(table) == "'=name,value\n'@method,-0.5\n"
    assert (
        to_text(Table('t', 'title', (Column('name'),), (('a\nerror: b\x1b[2J',),))).splitlines()[4]
        == r'a\u000aerror: b\u001b[2J'
    )


def test_no_name_is_markup_of_markdown():
    hostile = '<img src=//x onerror=y> ![i](//x) [l](javascript:z) [m][n] <//x> <!--\n\n# title\x1b|'
    tokens = MarkdownIt('commonmark').parse(markdown_text(hostile))
    kinds = {child.type for token in tokens for child in token.children or ()}
    assert kinds <= {'text', 'softbreak', 'text_special'}
    assert [token.type for token in tokens] == ['paragraph_open', 'inline', 'paragraph_close']
    table = Table('t', hostile, (Column(hostile),), ((hostile,),), (f'n{hostile}',))
    tokens = MarkdownIt('gfm-like', {'linkify': False, 'html': True}).parse(to_markdown(table))
    kinds = {child.type for token in tokens for child in token.children or ()}
    assert kinds <= {'text', 'softbreak', 'text_special'}
    assert not [token.type for token in tokens if 'html' in token.type]
    assert markdown_text('p <0.0001, a < b, [1, 2], x[0]') == 'p <0.0001, a < b, [1, 2], x[0]'
