"""C headers of exported students."""

import shutil
import subprocess

import numpy as np
import pytest
import torch

from mmkd_plugin.deploy import load_student
from mmkd_plugin.deploy.formats import OUTPUTS
from mmkd_plugin.deploy.header import to_header


def test_the_header_is_c_and_its_normaliser_is_the_students(exported, tmp_path):
    compiler = shutil.which('cc') or shutil.which('gcc') or shutil.which('clang')
    if compiler is None:
        pytest.skip('no C compiler is here')
    folder, _ = exported
    student = load_student(folder / 'student_best.pth')
    (tmp_path / 'main.c').write_text(
        '#include <stdio.h>\n#include "student_best.h"\nint main(void) {\n'
        '  for (int c = 0; c < MMKD_CHANNELS; c++)\n'
        '    printf("%s %.9g\\n", mmkd_channels[c], (mmkd_golden_signal[7][c][MMKD_WINDOW - 1] - mmkd_offset[c]) * mmkd_scale[c]);\n'
        '  for (int k = 0; k < MMKD_CLASSES; k++) printf("%s %.9g\\n", mmkd_classes[k], mmkd_golden_probabilities[7][k]);\n'
        '  return 0;\n}\n'
    )
    words = [compiler, '-std=c99', '-Wall', '-Werror', f'-I{folder}', 'main.c', '-o', 'main']
    subprocess.run(words, cwd=tmp_path, check=True)
    lines = subprocess.run([tmp_path / 'main'], capture_output=True, text=True, check=True).stdout.splitlines()
    signal = student.encode(student.golden['signal'])[7, :, -1]
    probabilities = student(student.golden['signal']).softmax(1)[7]
    names, values = zip(*(line.rsplit(' ', 1) for line in lines))
    assert names == (*student.contract.channels, *student.contract.classes)
    np.testing.assert_allclose(np.array(values, float), torch.cat([signal, probabilities]).detach().numpy(), rtol=1e-5)


def test_names_in_a_header_are_c_strings(exported):
    student = load_student(exported[0] / 'student_best.pth')
    object.__setattr__(student.contract, 'classes', ('a "b"', 'c\\d', '걷기', '??/'))
    golden = {'signal': student.golden['signal'].numpy(), **{name: student.golden['logits'].numpy() for name in OUTPUTS}}
    text = to_header('x*/.onnx', student, golden)
    assert r'{"a \042b\042", "c\134d", "\352\261\267\352\270\260", "\077\077/"}' in text
    assert text.startswith('/* x* /.onnx: written by mmkd export. */\n#ifndef MMKD_X___ONNX_H\n')
