# watch_anomaly.py in five folds of two subjects each, every subject tested once.
_base_ = ['./watch_folds.py']
normal = ['PEN', 'ABD', 'FEL', 'IR']
train_dataloader = dict(dataset=dict(normal=normal))
val_dataloader = dict(dataset=dict(normal=normal))
test_dataloader = dict(dataset=dict(normal=normal, anomalies=True))
data_preprocessor = dict(num_classes=4)
