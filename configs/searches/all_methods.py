# The same number of trials for every method: weights, temperature and rate on the validation subjects of two data sets, whose mean
# counts. Four and six people are validated: two tell nothing (two seeds of the student alone are up to 9 points apart there).
# Ranges of weights are a tenth to ten times those of configs/_base_/transfers, unless two methods share a key.
# Methods by their teachers: on the signal; on the Gramian field, too; on persistence images, too; on the Gramian field alone.
_one_teacher = ['kd', 'full_kd', 'eskd', 'fam_1d_kd', 'standardized_kd', 'simkd', 'at', 'cat_kd', 'dist', 'dkd']
_one_teacher += ['fitnet', 'review_kd', 'rkd', 'sp']
_two_teachers = ['cam_kd', 'evidence_kd', 'progressive_kd']
_three_teachers = ['aver_kd', 'fam_kd', 'ca_mkd', 'entropy_kd', 'tpkd', 'ae_kd', 'combo', 'lfme', 'meta_kd']
_image_teacher = ['hidden_kd', 'fam_review_kd', 'crd', 'dcd']
axes = {
    'method': ['supervised/student', *_one_teacher, *_two_teachers, *_three_teachers, 'utpkd', *_image_teacher],
    'data': ['umafall_tuning', 'watch_tuning'],  # the cheap one first: what is low there goes no further
    'fold': [0],
    'seed': [0],
    'model.teachers.sig.view': dict(
        values=['body'], where=dict(method=[*_one_teacher, *_two_teachers, *_three_teachers, 'utpkd'], data='umafall_tuning')
    ),
    'model.teachers.gaf.view': dict(
        values=['body_gaf'], where=dict(method=[*_two_teachers, *_three_teachers, *_image_teacher], data='umafall_tuning')
    ),
    'model.teachers.pi.view': dict(values=['body_pi'], where=dict(method=[*_three_teachers, 'utpkd'], data='umafall_tuning')),
    'teachers.train_dataloader.batch_size': dict(
        values=[16], where=dict(data='umafall_tuning', method={'except': ['supervised/student']})
    ),
}
average_over = [
    'data',
    'teachers.train_dataloader.batch_size',
    *[f'model.teachers.{name}.view' for name in ('sig', 'gaf', 'pi')],
]
_low = dict(low=0.02, high=2.0, log=True)
_middle = dict(low=0.1, high=10.0, log=True)
_high = dict(low=100.0, high=10000.0, log=True)
_tau = dict(low=1, high=8, step=1)
space = {
    'optim_wrapper.optimizer.lr': dict(low=0.01, high=0.2, log=True, where=dict(method={'except': ['progressive_kd']})),
    'model.phases.shared.lr': dict(
        low=0.01,
        high=0.2,
        log=True,
        where=dict(method='progressive_kd'),
        also=['model.phases.sig_to_img.lr', 'model.phases.img_to_sig.lr'],
    ),
    'model.transfers.kd.weight': dict(**_low, where=dict(method=['kd', 'full_kd', 'cam_kd', 'evidence_kd'])),
    'model.transfers.kd.tau': dict(**_tau, where=dict(method=['kd', 'full_kd'])),
    'model.transfers.eskd.weight.value': dict(**_low, where=dict(method='eskd')),
    'model.transfers.eskd.weight.stop': dict(values=[0.4, 0.6, 0.8], where=dict(method='eskd')),
    'model.transfers.eskd.tau': dict(**_tau, where=dict(method='eskd')),
    'model.transfers.aver.weight': dict(**_low, where=dict(method=['aver_kd', 'fam_kd', 'combo'])),
    'model.transfers.aver.tau': dict(**_tau, where=dict(method='aver_kd')),
    'model.transfers.fam_gaf.weight': dict(
        **_low,
        where=dict(method=['fam_kd', 'combo']),
        also=['model.transfers.fam_sig.weight', 'model.transfers.fam_pi.weight'],
    ),
    'model.transfers.fam2.weight': dict(
        **_low, where=dict(method='fam_1d_kd'), also=['model.transfers.fam0.weight', 'model.transfers.fam1.weight']
    ),
    'model.transfers.review.weight.value': dict(
        low=0.02,
        high=10.0,
        log=True,
        where=dict(method=['fam_review_kd', 'review_kd']),
        also=['model.transfers.pooled.weight.value'],
    ),
    'model.transfers.cam.weight': dict(low=0.002, high=0.2, log=True, where=dict(method='cam_kd')),
    'model.transfers.evidence.weight': dict(**_high, where=dict(method='evidence_kd')),
    'model.transfers.shared.weight': dict(**_low, where=dict(method='progressive_kd')),
    'model.transfers.img_to_sig.weight': dict(
        **_middle, where=dict(method='progressive_kd'), also=['model.transfers.sig_to_img.weight']
    ),
    'model.transfers.hidden.weight': dict(**_low, where=dict(method='hidden_kd')),
    'model.transfers.crd.weight': dict(low=0.08, high=8.0, log=True, where=dict(method=['crd', 'combo'])),
    'model.transfers.crd.tau': dict(values=[0.05, 0.07, 0.1, 0.2], where=dict(method='crd')),
    'model.transfers.dcd.weight': dict(**_middle, where=dict(method='dcd')),
    'model.transfers.responses.weight': dict(**_low, where=dict(method=['ca_mkd', 'tpkd', 'utpkd', 'meta_kd'])),
    'model.transfers.features.weight': dict(**_middle, where=dict(method=['ca_mkd', 'meta_kd'])),
    'model.transfers.maps.weight': dict(low=20.0, high=2000.0, log=True, where=dict(method=['tpkd', 'utpkd'])),
    'model.transfers.entropy.weight': dict(**_low, where=dict(method='entropy_kd')),
    'model.transfers.entropy.tau': dict(**_tau, where=dict(method='entropy_kd')),
    'model.transfers.aekd.weight': dict(**_low, where=dict(method='ae_kd')),
    'model.transfers.aekd.tau': dict(**_tau, where=dict(method='ae_kd')),
    'model.transfers.experts.weight': dict(**_low, where=dict(method='lfme')),
    'model.transfers.experts.tau': dict(**_tau, where=dict(method='lfme')),
    'model.transfers.standardized.weight.value': dict(low=0.9, high=18.0, log=True, where=dict(method='standardized_kd')),
    'model.transfers.standardized.tau': dict(**_tau, where=dict(method='standardized_kd')),
    'model.transfers.at.weight': dict(**_high, where=dict(method='at')),
    'model.transfers.cat.weight': dict(**_middle, where=dict(method='cat_kd')),
    'model.transfers.dist.weight': dict(**_middle, where=dict(method='dist')),
    'model.transfers.dist.tau': dict(low=1, high=4, step=1, where=dict(method='dist')),
    'model.transfers.dkd.weight': dict(**_low, where=dict(method='dkd')),
    'model.transfers.dkd.tau': dict(**_tau, where=dict(method='dkd')),
    'model.transfers.fitnet.weight': dict(**_middle, where=dict(method='fitnet')),
    'model.transfers.rkd_distance.weight': dict(low=2.5, high=250.0, log=True, where=dict(method='rkd')),
    'model.transfers.rkd_angle.weight': dict(low=5.0, high=500.0, log=True, where=dict(method='rkd')),
    'model.transfers.simkd.weight': dict(**_middle, where=dict(method='simkd')),
    'model.transfers.sp.weight': dict(low=300.0, high=30000.0, log=True, where=dict(method='sp')),
}
trials = 12
fair = True  # the best of many trials is better than the best of few by luck alone
pruner = dict(type='MedianPruner', n_startup_trials=4, n_warmup_steps=8)  # epochs of every run
