_base_ = './gaf.py'

# The network of the Gramian teacher, on the spectrogram: validation accuracy of watch_folds, mean of five folds, 86.6 %, the best
# image (without turned axes 84.6).
model = dict(learners=dict(_delete_=True, stft=dict(view='stft', network=_base_.model.learners.gaf.network)))
