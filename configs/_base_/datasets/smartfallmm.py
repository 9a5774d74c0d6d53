# SmartFallMM (github.com/txst-cs-smartfall/SmartFallMM-Dataset): 40 people, 9 activities and 5 falls, acceleration of a watch at
# 32 Hz, and beside it the skeleton of a camera at 30 frames a second, for teachers alone; --fold 0 to 4 tests every person once.
_base_ = ['./loaders.py', './zscore_views.py']
data_root = 'data/SmartFallMM'
window = 96  # samples: 3 s at 32 Hz
dataset = dict(
    type='WindowDataset',
    # The old have no falls: groups=['young'] here leaves them out. Of 1,470 trials with a watch, 1,025 have a skeleton. Skeletons
    # are files like young/skeleton/S29A01T01.csv, or arrays of skeleton_mm_30fps.npz in the root; skeleton= names another path.
    reader=dict(type='SmartFallMM', root=data_root, sensors=['watch', 'skeleton']),
    window=window,
    step=32,  # samples: 1 s
    subjects=dict(type='GroupedKFold', k=5, fold=0, val=0.15),
    pipeline=[dict(type='NormalizeSignal', method='zscore'), dict(type='PackWindows')],
    pipelines=dict(
        skeleton=[dict(type='NormalizeSkeleton', root='pelvis', scale=['pelvis', 'neck']), dict(type='PackWindows')]
    ),
)
train_dataloader = dict(dataset=dict(split='train', **dataset))
val_dataloader = dict(dataset=dict(split='val', **dataset))
test_dataloader = dict(dataset=dict(split='test', **dataset))
data_preprocessor = dict(
    shape=(3, window),
    num_classes=14,
    channels=['watch_acc_x', 'watch_acc_y', 'watch_acc_z'],
    streams=dict(skeleton=dict(shape=(96, 90))),  # 32 joints in 3 axes, 3 s at 30 Hz
    views=dict(skeleton=dict(stream='skeleton')),
)
