# How the shipped teachers are trained on windows: the views and three augmentations, on five folds of the default data. The means on
# validation stand in configs/teachers; other data by --data geotec_folds --folds 0 1.
_turned = dict(type='RotateAxes', angle=20.0)
_strong = [dict(type='RotateAxes', angle=45.0), dict(type='TimeWarp', strength=0.2), dict(type='Scale', sigma=0.1)]
base = dict(data='watch_folds')
axes = dict(
    method=['teachers/sig', 'teachers/gaf', 'teachers/pi', 'teachers/stft'],
    augment=[[], [_turned], _strong],
    fold='all',
    seed=[0],
)
