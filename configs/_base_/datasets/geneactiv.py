# GENEActiv windows of the published comparisons (Jeon et al., arXiv:2407.05315): an accelerometer at the wrist, 14 classes, 5 s at
# 100 Hz. Their folds of subjects are not known here: subjects are shuffled into five groups, --fold 0 tests the first.
_base_ = './loaders.py'
data_root = 'data/GENEActiv'
window = 500  # samples: a file is a window
dataset = dict(
    type='WindowDataset',
    reader=dict(type='GENEActiv', root=data_root, size=window, classes=14),
    window=window,
    step=window,
    subjects=dict(type='GroupedKFold', k=5, fold=0, val=0.15),
    # No NormalizeSignal: the published range below fits a signal in its own unit, g, whose values are about 1 anyway.
    pipeline=[dict(type='PackWindows')],
)
train_dataloader = dict(dataset=dict(split='train', **dataset))
val_dataloader = dict(dataset=dict(split='val', **dataset))
test_dataloader = dict(dataset=dict(split='test', **dataset))
data_preprocessor = dict(
    type='ViewPreprocessor',
    shape=(3, window),
    num_classes=14,
    views=dict(
        # In g, the same for every window: posture turns gravity within ±1, a moving arm seldom exceeds ±2; beyond is clipped.
        gaf=dict(type='GramianAngularField', scale=(-2, 2)),
        # Published: sigma, births from −10 to 10 (the sensor gives ±8 g), 64 pixels, division by the image's maximum. Lives are
        # shown up to 10, too.
        pi=dict(
            type='PersistenceImage', image_size=64, birth_range=(-10, 10), persistence_range=(0, 10), sigma=0.25, normalize=True
        ),
        # Bins of half a g, distances in g, decibels above the power of an amplitude of .01 g.
        mtf=dict(type='MarkovTransitionField', bins=8, strategy='uniform', scale=(-2, 2)),
        rp=dict(type='RecurrencePlot'),
        stft=dict(type='Spectrogram', floor=1e-4),
        cwt=dict(type='Scalogram', floor=1e-4),
    ),
)
