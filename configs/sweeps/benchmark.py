# The methods on six data sets, every person tested once, with two seeds. On UMAFall the teachers see four positions of the body, the
# student the wrist alone. Teachers learn from windows whose axes are turned (configs/teachers); that the student alone gains by it,
# too, has to be seen beside them.
_one_teacher = ['kd', 'eskd', 'full_kd', 'fam_1d_kd']  # on the signal
_two_teachers = ['cam_kd', 'evidence_kd', 'progressive_kd']  # and on the Gramian field
_three_teachers = ['aver_kd', 'fam_kd', 'ca_mkd', 'entropy_kd', 'tpkd', 'ae_kd', 'combo']  # and on persistence images
_image_teacher = ['hidden_kd', 'fam_review_kd', 'crd', 'dcd']  # on the Gramian field alone
axes = {
    'method': ['supervised/student', *_one_teacher, *_two_teachers, *_three_teachers, *_image_teacher],
    'data': ['watch_folds', 'geotec_folds', 'wedafall_folds', 'umafall_folds', 'wisdm2019_folds', 'hapt_folds'],
    'fold': 'all',
    'seed': [0, 1],
    'augment': dict(values=[[dict(type='RotateAxes', angle=20.0)]], where=dict(method='supervised/student')),
    'model.teachers.sig.view': dict(
        values=['body'], where=dict(method=[*_one_teacher, *_two_teachers, *_three_teachers], data='umafall_folds')
    ),
    'model.teachers.gaf.view': dict(
        values=['body_gaf'], where=dict(method=[*_two_teachers, *_three_teachers, *_image_teacher], data='umafall_folds')
    ),
    'model.teachers.pi.view': dict(values=['body_pi'], where=dict(method=[*_three_teachers], data='umafall_folds')),
    'teachers.train_dataloader.batch_size': dict(
        values=[16], where=dict(data='umafall_folds', method={'except': ['supervised/student']})
    ),  # as the student's
}
