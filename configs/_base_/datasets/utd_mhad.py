# UTD-MHAD (Chen, Jafari & Kehtarnavaz, ICIP 2015): 8 people, 27 actions, acceleration and angular rate of one sensor at 50 Hz, and
# beside it the skeleton of a Kinect on a grid of 30 Hz, for teachers alone; each person is tested once, --fold 0 is s1.
_base_ = ['./loaders.py', './zscore_views.py']
data_root = 'data/UTD-MHAD'
window = 100  # samples: 2 s at 50 Hz; the shortest trial has 107
dataset = dict(
    type='WindowDataset',
    reader=dict(type='UTDMHAD', root=data_root, sensors=['inertial', 'skeleton']),
    window=window,
    step=25,  # samples: 0.5 s
    subjects=dict(type='LeaveOneSubjectOut', fold=0, val=1),
    pipeline=[dict(type='NormalizeSignal', method='zscore'), dict(type='PackWindows')],
    pipelines=dict(
        skeleton=[
            dict(type='NormalizeSkeleton', root='hip_center', scale=['hip_center', 'shoulder_center']),
            dict(type='PackWindows'),
        ]
    ),
)
train_dataloader = dict(dataset=dict(split='train', **dataset))
val_dataloader = dict(dataset=dict(split='val', **dataset))
test_dataloader = dict(dataset=dict(split='test', **dataset))
data_preprocessor = dict(
    shape=(6, window),
    num_classes=27,
    channels=[f'inertial_{kind}_{axis}' for kind in ('acc', 'gyr') for axis in 'xyz'],
    streams=dict(skeleton=dict(shape=(60, 60))),  # 20 joints in 3 axes, 2 s at 30 Hz
    views=dict(skeleton=dict(stream='skeleton')),
)
