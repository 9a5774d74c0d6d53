# Frequency attention, layer to layer (Pham et al., WACV 2024): MSE(BN-ReLU(FAM(student stage)), teacher stage).
lifted = [dict(type='Lift', mode='outer'), dict(type='FrequencyAttention', cutoff=0.1), dict(type='NormReLU')]
along_time = [dict(type='Resize'), dict(type='FrequencyAttention', cutoff=0.1), dict(type='NormReLU')]
fam = dict(
    # The signal teacher is pre-activation: only its last stage has gone through a ReLU.
    fam_sig=dict(type='FeatureTransfer', source='sig.stages.2', target='student.stages.2', connector=along_time, weight=0.2),
    fam_gaf=dict(type='FeatureTransfer', source='gaf.stages', target='student.stages', connector=lifted, weight=0.2),
    fam_pi=dict(type='FeatureTransfer', source='pi.stages.2', target='student.stages.2', connector=lifted, weight=0.2),
)
