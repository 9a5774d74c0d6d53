import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
LEAF = ROOT / 'configs' / 'basic_motions' / 'fam_kd.py'


def doctor(tmp_path, *options):
    command = [sys.executable, str(ROOT / 'tools' / 'doctor.py'), str(LEAF), '--batches', '1', '--cfg-options', *options]
    return subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)


def test_teachers_at_chance_level_are_a_fault_and_trained_ones_are_none(tmp_path):
    raw = doctor(tmp_path, 'train_cfg.max_epochs=1', 'optim_wrapper.optimizer.lr=0.0')
    assert raw.returncode == 1
    assert "fault: teacher 'sig' is at chance level:" in raw.stderr

    # With eight validation windows only a good teacher is beyond doubt: the signal's.
    dropped = [
        f'model.{key}=None'
        for key in ('teachers.pi', 'teachers.gaf', 'transfers.fam_pi', 'transfers.fam_gaf', 'transfers.aver')
    ]
    trained = doctor(tmp_path, 'train_cfg.max_epochs=20', *dropped)
    assert trained.returncode == 0, trained.stderr[-2000:]
    assert 'no fault found' in trained.stdout
    assert 'connector fam_sig from sig: Resize -> FrequencyAttention -> NormReLU' in trained.stdout
    assert all(name in trained.stdout for name in ('student ', 'fam_sig ', 'teacher sig: '))


def test_a_wrong_config_is_one_error(tmp_path):
    done = doctor(tmp_path, 'model.transfers.fam_gaf.source=gfa.stages')
    assert done.returncode == 1
    assert done.stderr.strip().splitlines()[-1].startswith("error: transfer 'fam_gaf'")
    assert list(tmp_path.iterdir()) == []
