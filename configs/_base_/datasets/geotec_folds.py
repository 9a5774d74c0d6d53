# GeoTec in four folds for comparisons of many methods: every second window of geotec.py, none overlaps.
_base_ = ['./geotec.py']
dataset = dict(step=64, subjects=dict(k=4, seed=0, val=4))
train_dataloader = dict(dataset=dataset)
val_dataloader = dict(dataset=dataset)
test_dataloader = dict(dataset=dataset)
