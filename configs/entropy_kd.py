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
model = dict(teachers=_base_.teachers, transfers=dict(entropy=_base_.entropy))
