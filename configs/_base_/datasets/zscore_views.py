# Views of a signal that is normalised with method='zscore'.
data_preprocessor = dict(
    type='ViewPreprocessor',
    views=dict(
        # Scaled by the training subjects, not window by window: a Gramian field of its own range forgets posture and amplitude.
        gaf=dict(type='GramianAngularField', scale=(-3, 3)),
        # Ranges and sigma in standard deviations of the training subjects, which is what zscore gives; not divided by the image's
        # maximum, for the same reason. The minimum that never dies is drawn, too: without it an image forgets level and range
        # (validation accuracy of watch_folds, mean of five folds, 74.9 % with it, 74.1 % without).
        pi=dict(
            type='PersistenceImage',
            image_size=32,
            birth_range=(-4, 4),
            persistence_range=(0, 8),
            sigma=0.25,
            normalize=False,
            essential=True,
        ),
        # Bins of 0.75 standard deviations, for the same reason; distances in standard deviations, not cut at a threshold.
        mtf=dict(type='MarkovTransitionField', bins=8, strategy='uniform', scale=(-3, 3)),
        rp=dict(type='RecurrencePlot'),
        # Decibels above the power of an amplitude of .03 standard deviations.
        stft=dict(type='Spectrogram', floor=1e-3),
        cwt=dict(type='Scalogram', floor=1e-3),
    ),
)
