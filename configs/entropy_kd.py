# Entropy-based weights: of three teachers (called EB-KD in its paper; evidence-based KD is another method).
# Paper: Entropy-based weights of several teachers (Kwon et al., ICPR 2020)
_base_ = [
    '_base_/datasets/watch.py',
    '_base_/networks/wrn16_1_student.py',
    '_base_/teachers/sig_gaf_pi.py',
    '_base_/transfers/entropy.py',
    '_base_/schedules/sgd.py',
    '_base_/default_runtime.py',
]
# Trial 5 of 12 by configs/searches/all_methods.py: 86.5 % on validation, the student alone 87.4.
model = dict(teachers=_base_.teachers, transfers=dict(entropy=dict(_base_.entropy, weight=0.12, tau=1)))
optim_wrapper = dict(optimizer=dict(lr=0.036))
