from helpers import tiny_config

from mmkd_plugin.engine import Runner


def test_two_runs_of_one_config_share_neither_log_nor_message_hub(tmp_path, teacher_dir):
    """They begin in one second, by which the host names both."""
    one, two = (Runner.from_cfg(tiny_config('supervised/student.py', tmp_path / name, teacher_dir)) for name in 'ab')
    assert one.logger is not two.logger
    assert one.message_hub is not two.message_hub
    assert one.experiment_name.startswith('student_')


def test_the_text_of_a_config_is_made_again_when_the_config_changes(tmp_path, teacher_dir):
    runner = Runner.from_cfg(tiny_config('supervised/student.py', tmp_path, teacher_dir))
    before = runner.cfg.pretty_text
    assert runner.cfg.pretty_text is before
    runner.cfg.train_cfg.max_epochs = 77
    assert runner.cfg.pretty_text.replace('77', '1') == before
