# FitNet: the middle stage of the signal teacher.
# Paper: FitNets: Hints for Thin Deep Nets (Romero et al., ICLR 2015), https://arxiv.org/abs/1412.6550
_base_ = [
    '_base_/datasets/watch.py',
    '_base_/networks/wrn16_1_student.py',
    '_base_/teachers/sig_gaf_pi.py',
    '_base_/transfers/fitnet_transfer.py',
    '_base_/schedules/sgd.py',
    '_base_/default_runtime.py',
]
model = dict(teachers=dict(sig=_base_.teachers['sig']), transfers=dict(fitnet=_base_.fitnet))
