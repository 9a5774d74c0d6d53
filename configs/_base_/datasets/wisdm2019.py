# WISDM 2019 (Weiss, Yoneda & Hayajneh, IEEE Access 2019): 51 subjects, accelerometer and gyroscope of a phone in the pocket, put on
# a grid of 20 Hz; each subject is tested once, --fold 0 is subject 1600.
_base_ = ['./loaders.py', './zscore_views.py']
data_root = 'data/wisdm-dataset'
window = 100  # samples: 5 s at 20 Hz
dataset = dict(
    type='WindowDataset',
    # Walking, jogging, stairs and kicking. All 18 activities: leave activities away (or None) and say num_classes=18 below.
    reader=dict(type='WISDM2019', root=data_root, device='phone', activities=['A', 'B', 'C', 'M']),
    window=window,
    step=22,  # samples: 1.1 s
    subjects=dict(type='LeaveOneSubjectOut', fold=0, val=5),
    pipeline=[dict(type='NormalizeSignal', method='zscore'), dict(type='PackWindows')],
)
train_dataloader = dict(dataset=dict(split='train', **dataset))
val_dataloader = dict(dataset=dict(split='val', **dataset))
test_dataloader = dict(dataset=dict(split='test', **dataset))
data_preprocessor = dict(shape=(6, window), num_classes=4)
