_base_ = './gaf.py'

# mmpretrain's MobileNetV2, which has no argument for the number of input channels; its stages of 24, 32, 96
# and 1280 channels are 8, 4, 2 and 1 pixels wide.
model = dict(
    learners=dict(gaf=dict(network=dict(backbone=dict(_delete_=True, type='MobileNetV2', out_indices=(1, 2, 4, 7))))),
)
