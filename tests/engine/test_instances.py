"""Lists of the host, in which a run leaves nothing."""

import logging
import os

import pytest
from mmengine.logging import MessageHub, MMLogger
from mmengine.registry import DefaultScope
from mmengine.visualization import Visualizer

from mmkd_plugin.engine import forgetting_runs, listing_classes


def listed():
    return {kind: list(kind._instance_dict) for kind in listing_classes() if kind is not DefaultScope}


def test_what_a_block_has_entered_is_taken_out_and_its_logs_are_closed(tmp_path):
    MessageHub.get_instance('outside')
    before, counts = listed(), []
    for number in range(3):
        try:
            with forgetting_runs():
                logger = MMLogger.get_instance(f'run{number}', log_file=str(tmp_path / 'log.txt'))
                logger.warning('a run')
                hub = MessageHub.get_instance(f'run{number}')
                Visualizer.get_instance(f'run{number}')
                DefaultScope.get_instance(f'run{number}', scope_name='mmkd_plugin')
                assert MessageHub.get_current_instance() is hub
                files = [handler for handler in logger.handlers if isinstance(handler, logging.FileHandler)]
                raise KeyboardInterrupt
        except KeyboardInterrupt:
            pass
        assert files[0].stream is None
        assert (logger.handlers, listed()) == ([], before)
        assert MessageHub.get_current_instance().instance_name == 'outside'
        assert DefaultScope.get_current_instance().scope_name == 'mmkd_plugin'
        del files, logger
        counts.append((len(DefaultScope._instance_dict), len(logging._handlerList)))
    assert counts[1] == counts[2]
    assert 'a run' in (tmp_path / 'log.txt').read_text()


def test_a_log_that_cannot_be_written_to_its_end_is_named_unless_something_else_has_failed(tmp_path):
    def leave(error=None):
        with forgetting_runs():
            logger = MMLogger.get_instance('full', log_file=str(tmp_path / 'log.txt'))
            handler = next(handler for handler in logger.handlers if isinstance(handler, logging.FileHandler))
            handler.stream.write('kept back' * 1000)
            os.close(handler.stream.fileno())
            if error:
                raise error

    with pytest.raises(OSError, match=r'^\S+log.txt cannot be written: Bad file descriptor'):
        leave()
    with pytest.raises(RuntimeError, match='^came first$'):
        leave(RuntimeError('came first'))
