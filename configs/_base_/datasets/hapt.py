# HAPT (Reyes-Ortiz et al., Neurocomputing 2016): 30 subjects, 6 activities and 6 transitions between postures, raw at 50 Hz; each
# subject is tested once, --fold 0 is subject 1.
_base_ = ['./loaders.py', './zscore_views.py']
data_root = 'data/HAPT Data Set'
window = 128  # samples: 2.56 s at 50 Hz, as the archive cuts its own windows
dataset = dict(
    type='WindowDataset',
    # Acceleration alone. With the gyroscope, too: sensors=['acc', 'gyro'] here and shape=(6, window) below.
    reader=dict(type='HAPT', root=data_root, sensors=['acc']),
    window=window,
    step=64,  # samples: windows overlap by half, inside one labelled segment
    subjects=dict(type='LeaveOneSubjectOut', fold=0, val=2),
    pipeline=[dict(type='NormalizeSignal', method='zscore'), dict(type='PackWindows')],
)
train_dataloader = dict(dataset=dict(split='train', **dataset))
val_dataloader = dict(dataset=dict(split='val', **dataset))
test_dataloader = dict(dataset=dict(split='test', **dataset))
data_preprocessor = dict(shape=(3, window), num_classes=12)
