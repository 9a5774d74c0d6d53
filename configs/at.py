# AT: attention maps of all stages, from the signal teacher.
# Paper: Paying More Attention to Attention (Zagoruyko & Komodakis, ICLR 2017), https://arxiv.org/abs/1612.03928
_base_ = [
    '_base_/datasets/watch.py',
    '_base_/networks/wrn16_1_student.py',
    '_base_/teachers/sig_gaf_pi.py',
    '_base_/transfers/at_transfer.py',
    '_base_/schedules/sgd.py',
    '_base_/default_runtime.py',
]
model = dict(teachers=dict(sig=_base_.teachers['sig']), transfers=dict(at=_base_.at))
