# The smart-watch exercises as anomaly detection: four exercises are normal, the other three are anomalies.
_base_ = './watch.py'
normal = ['PEN', 'ABD', 'FEL', 'IR']
train_dataloader = dict(dataset=dict(normal=normal))
val_dataloader = dict(dataset=dict(normal=normal))
test_dataloader = dict(dataset=dict(normal=normal, anomalies=True))
data_preprocessor = dict(num_classes=4)
