_base_ = './gaf.py'

# The network of the Gramian teacher, on the spectrogram.
model = dict(learners=dict(_delete_=True, stft=dict(view='stft', network=_base_.model.learners.gaf.network)))
