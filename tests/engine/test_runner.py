from pathlib import Path

from helpers import tiny_config
from mmengine.config import Config

from mmkd_plugin.engine import Runner


def test_two_runs_of_one_config_share_neither_log_nor_message_hub(tmp_path, teacher_dir):
    """They begin in one second, by which the host names both."""
    one, two = (Runner.from_cfg(tiny_config('supervised/student.py', tmp_path / name, teacher_dir)) for name in 'ab')
    assert one.logger is not two.logger
    assert one.message_hub is not two.message_hub
    assert one.experiment_name.startswith('student_')


def test_logs_are_in_the_order_of_their_names_though_the_clock_goes_back(tmp_path, teacher_dir):
    for name in ('29991231_235959', 'notes', '2999123_235959'):
        (tmp_path / name).mkdir()
    cfg = tiny_config('supervised/student.py', tmp_path, teacher_dir)
    assert [Path(Runner.from_cfg(cfg)._log_dir).name for _ in range(2)] == ['30000101_000000', '30000101_000001']


def test_the_text_of_a_config_reads_back_as_the_config(tmp_path, teacher_dir):
    cfg = tiny_config('fam_kd.py', tmp_path / 'run', teacher_dir)
    runner = Runner.from_cfg(cfg)
    (tmp_path / 'text.py').write_text(runner.cfg.pretty_text)
    back = Config.fromfile(tmp_path / 'text.py')
    assert back.to_dict() == runner.cfg.to_dict() == cfg.to_dict()
    assert list(back.model.transfers) == list(cfg.model.transfers)
    runner.cfg.train_cfg.max_epochs = 77
    assert 'max_epochs=77' in runner.cfg.pretty_text
