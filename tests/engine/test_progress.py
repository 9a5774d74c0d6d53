"""Lines of a run: what is said of which network, and what the console shows of the log."""

import logging

import pytest
from mmengine.logging import MMLogger, print_log
from mmengine.logging.logger import FilterDuplicateWarning

from mmkd_plugin.engine import Progress, Reporter, current_reporter, show_log_by_reporter, use_reporter
from mmkd_plugin.engine import progress as module


@pytest.fixture
def clock(monkeypatch):
    """A clock that a test sets."""
    now = [0.0]
    monkeypatch.setattr(module.time, 'monotonic', lambda: now[0])
    return now


def at(epoch, left, **more):
    return Progress(epoch=epoch, epochs=10, share=epoch / 10, seconds_left=left, **more)


def test_time_left_of_a_run_is_that_of_the_network_and_of_those_to_come(clock, capsys):
    reporter = Reporter()
    reporter.plan(['what'], ['teacher a', 'teacher b', 'student'])
    reporter.begin('teacher a')
    clock[0] = 20.0
    # 20 s are over and 80 s left, so that the two to come are expected to take 100 s each.
    assert reporter.describe(at(2, 80.0)) == 'epoch 2/10, 1:20 left (all 4:40)'
    clock[0] = 40.0
    reporter.end(at(10, 0.0, best='accuracy 71.00 %'))
    reporter.begin('teacher b')
    clock[0] = 50.0
    # 40 s were measured and 10 + 50 s expected: 50 s on average.
    assert reporter.describe(at(1, 50.0, loss=0.12345, score='accuracy 50.00 %')) == (
        'epoch 1/10, loss 0.123, accuracy 50.00 %, 0:50 left (all 1:40)'
    )
    most = at(1, 50.0, loss=0.12345, score='accuracy 50.00 %')
    assert [reporter.describe(most, width) for width in (62, 61, 49, 35)] == [
        'epoch 1/10, loss 0.123, accuracy 50.00 %, 0:50 left (all 1:40)',
        'epoch 1/10, accuracy 50.00 %, 0:50 left (all 1:40)',
        'epoch 1/10, accuracy 50.00 %, 0:50 left',
        'epoch 1/10, 0:50 left',
    ]
    reporter.begin('student')
    assert reporter.describe(at(1, 3600.0)) == 'epoch 1/10, 1:00:00 left'
    assert reporter.describe(at(10, 0.0)) == 'epoch 10/10'
    assert capsys.readouterr().out == 'what\n1/3 teacher a: 10 epochs in 0:40, best accuracy 71.00 % on validation\n'


def test_the_last_network_has_a_line_per_epoch_and_a_teacher_one_in_a_quarter_of_an_hour(clock, capsys):
    reporter = Reporter()
    reporter.plan([], ['teacher a', 'student'])
    for network in ('teacher a', 'student'):
        reporter.begin(network)
        for epoch in range(1, 11):
            clock[0] += 200.0
            reporter.step(at(epoch, 1.0))
            reporter.epoch(at(epoch, 1.0))
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(',')[0] for line in lines if 'teacher' in line] == [
        f'1/2 teacher a: epoch {epoch}/10' for epoch in (5, 10)
    ]
    assert [line.split(',')[0] for line in lines if 'student' in line] == [
        f'2/2 student: epoch {epoch}/10' for epoch in range(1, 11)
    ]


def test_a_network_outside_a_plan_has_no_number(capsys):
    reporter = Reporter()
    reporter.begin('teacher a')
    reporter.end(at(10, 0.0))
    reporter.end(at(1, 0.0))
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith('teacher a: 10 epochs in 0:0')
    assert lines[1].startswith('teacher a: 1 epoch in 0:0')


def test_the_reporter_of_a_block_is_the_current_one_inside():
    outside, inside = current_reporter(), Reporter()
    with use_reporter(inside) as given:
        assert current_reporter() is given is inside
    assert current_reporter() is outside


class Kept(Reporter):
    """Keeps the lines."""

    def __init__(self, verbose=False):
        super().__init__(verbose)
        self.lines = []

    def write(self, line):
        self.lines.append(line)


@pytest.fixture
def logger(tmp_path):
    return MMLogger.get_instance(f'console-{tmp_path.name}', log_file=str(tmp_path / 'log.txt'))


def host_says(logger, text, level=logging.INFO):
    """Log a line as code of the host does, by whichever of the two ways."""
    names = {'__name__': 'mmengine.runner.runner', 'logger': logger, 'print_log': print_log, 'level': level, 'text': text}
    exec('logger.log(level, text)\nprint_log(f"{text} again", logger, level)', names)


def test_the_console_shows_our_lines_and_warnings_and_the_file_all(logger, tmp_path, capsys):
    with use_reporter(Kept()) as reporter:
        show_log_by_reporter(logger)
        logger.info('phase one')
        print_log('reusing a teacher', logger)
        host_says(logger, 'Hooks will be executed')
        host_says(logger, 'The seed is another', logging.WARNING)
        host_says(logger, '"FileClient" will be deprecated in future', logging.WARNING)
        logger.warning('the doctor found: a dead transfer')
    assert reporter.lines == [
        'phase one',
        'reusing a teacher',
        'warning: The seed is another',
        'warning: The seed is another again',
        'warning: the doctor found: a dead transfer',
    ]
    text = (tmp_path / 'log.txt').read_text()
    assert all(part in text for part in ('phase one', 'Hooks will be executed again', 'FileClient', 'a dead transfer'))
    assert capsys.readouterr() == ('', '')
    assert sum(isinstance(f, FilterDuplicateWarning) for handler in logger.handlers for f in handler.filters) == 2


def test_a_verbose_reporter_leaves_the_console_to_the_host(logger):
    before = list(logger.handlers)
    with use_reporter(Kept(verbose=True)) as reporter:
        show_log_by_reporter(logger)
    assert logger.handlers == before
    reporter.plan(['what'], ['student'])
    reporter.begin('student')
    reporter.epoch(at(1, 1.0))
    reporter.end(at(10, 0.0))
    assert reporter.lines == ['what']
