"""Fixtures that the tests share, the sampling of proofs, and the list of slow tests.

Where coverage is measured, TensorFlow takes half as long again. ``no_cover``, of pytest-cov, marks tests that take long
and run only lines that others run too.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import sysconfig
import tempfile
import venv
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["TF_DETERMINISTIC_OPS"] = "1"  # as the command line asks for, so that the order of the tests does not matter
os.environ["KERASDREAM_CONFIG"] = os.path.join(tempfile.gettempdir(), "no-kerasdream")  # not this machine's rules

import numpy as np
import pytest
import skimage.data

from kerasdream import images
from kerasdream.dreaming import parts
from kerasdream.models import efficientnet_lite

CPU_LIMIT = 10
"""Seconds of CPU time above which a test that is not a proof is listed at the end of the session."""


def pytest_configure():
    # A shell's background jobs ignore SIGINT, and so would the processes that the tests start and interrupt.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser):
    parser.addoption(
        "--proof-sample", type=_sample, metavar="K/N", help="of the proofs, run only the K-th of N equal samples"
    )


def _sample(text):
    match = re.fullmatch(r"(\d+)/(\d+)", text)
    if not match or not 1 <= int(match[1]) <= int(match[2]):
        raise argparse.ArgumentTypeError(f"expected K/N with K from 1 to N, such as 3/12, not {text!r}")
    return int(match[1]), int(match[2])


def sampled(names, part, parts):
    """Return sample ``part`` of ``parts``: each has its share of every parametrized test, so they take equally long."""
    return set(sorted(names)[part - 1 :: parts])


def _is_proof(item):
    return item.get_closest_marker("proof") is not None


def pytest_collection_modifyitems(config, items):
    if not config.option.proof_sample:
        return
    kept = sampled({item.nodeid for item in items if _is_proof(item)}, *config.option.proof_sample)
    left_out = [item for item in items if _is_proof(item) and item.nodeid not in kept]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


def _cpu():
    """Return the seconds of CPU time of this process and of the processes it has waited for."""
    return sum(os.times()[:4])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    start = _cpu()
    try:
        return (yield)
    finally:
        item.user_properties.append(("cpu", _cpu() - start))


def pytest_terminal_summary(terminalreporter):
    """List the tests that take too long. This is no failure: a slow machine is not an error."""
    slow = [
        (spent, report.nodeid)
        for report in terminalreporter.getreports("passed")
        for name, spent in report.user_properties
        if name == "cpu" and report.when == "call" and spent > CPU_LIMIT and "proof" not in report.keywords
    ]
    if slow:
        terminalreporter.section(f"over {CPU_LIMIT} s of CPU time: make these smaller, or mark them `proof`")
        for spent, name in sorted(slow, reverse=True):
            terminalreporter.line(f"{spent:6.1f} s  {name}")


class SharedNetworks:
    """Build each trained EfficientNet-Lite once a session, and rebuild it once for each choice of layers.

    Building and rebuilding take longer than a short dream, and give the same network in every test. A test that needs
    a network of its own is marked ``fresh_network``.
    """

    def __init__(self, network, build_extractor):
        self.active = True
        self._network, self._build_extractor = network, build_extractor
        self._networks = {}
        self._extractors = {}

    def network(self, variant, weights):
        if not self.active or weights != "imagenet":
            return self._network(variant, weights)
        if variant.name not in self._networks:
            self._networks[variant.name] = self._network(variant, weights)
        return self._networks[variant.name]

    def build_extractor(self, network, layers, **options):
        shared = any(network.model is one.model for one in self._networks.values())
        if not self.active or not shared:
            return self._build_extractor(network, layers, **options)
        settings = network.inputs, network.channels, network.head, network.tokens, options
        key = (network.model, *layers, repr(settings))
        if key not in self._extractors:
            self._extractors[key] = self._build_extractor(network, layers, **options)
        return self._extractors[key]


NETWORKS = SharedNetworks(efficientnet_lite._network, parts.build_extractor)


@pytest.fixture(scope="session", autouse=True)
def _shared_networks():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(efficientnet_lite, "_network", NETWORKS.network)
        patch.setattr(parts, "build_extractor", NETWORKS.build_extractor)
        yield


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    NETWORKS.active = not item.get_closest_marker("fresh_network")


@pytest.fixture(scope="session")
def chelsea() -> np.ndarray:
    """A cat (CC0, scikit-image): (300, 451, 3) float32 in [-1, 1]."""
    return skimage.data.chelsea().astype("float32") / 127.5 - 1


@pytest.fixture(scope="session")
def coffee() -> np.ndarray:
    """A cup of coffee (CC0, scikit-image): (400, 600, 3) float32 in [-1, 1]."""
    return skimage.data.coffee().astype("float32") / 127.5 - 1


@pytest.fixture(scope="session")
def lite0():
    """The embedded network with its ImageNet weights: the one that all tests share."""
    return efficientnet_lite.efficientnet_lite0()


@pytest.fixture(scope="session")
def tiny():
    """A small random network, SAME padding, stride 4, receptive field 15; layers c1, b1, r1, c2, r2, c3."""
    import keras

    keras.utils.set_random_seed(1)
    layers = keras.layers
    picture = keras.Input((None, None, 3))
    x = layers.Conv2D(8, 3, strides=2, padding="same", name="c1")(picture)
    x = layers.BatchNormalization(name="b1")(x)
    x = layers.ReLU(name="r1")(x)
    x = layers.Conv2D(8, 3, strides=2, padding="same", name="c2")(x)
    x = layers.ReLU(name="r2")(x)
    model = keras.Model(picture, layers.Conv2D(4, 3, padding="same", name="c3")(x), name="tiny")
    random = np.random.default_rng(2)
    gamma, beta, mean, variance = (random.uniform(0.5, 1.5, 8) for _ in range(4))
    model.get_layer("b1").set_weights([gamma, beta, mean, variance])
    return model


@pytest.fixture
def here(monkeypatch, capsys):
    """Run the command line in this process and return its exit code, output and errors.

    Any command can be run like this, dreams included. What a command changes in the process is put back afterwards:
    the plugins, their commands, and the handler of SIGTERM. Two things stay: ``KERAS_BACKEND`` (tensorflow, as in all
    tests) and deterministic operations, which conftest.py switches on for the whole session. ``cwd`` is the folder
    to run in. Use ``process`` instead if the process itself is tested: what it imports, signals, its terminal.
    """
    from kerasdream.cli.main import cli, main
    from kerasdream.cli.options import discovered

    handler = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(cli, "commands", dict(cli.commands))
    discovered.cache_clear()  # plugins are found by paths relative to the folder

    def call(*arguments, cwd=None):
        monkeypatch.setattr(sys, "argv", ["kerasdream", *map(str, arguments)])
        if cwd:
            monkeypatch.chdir(cwd)
        with pytest.raises(SystemExit) as leaving:
            main()
        return leaving.value.code, *capsys.readouterr()

    yield call
    signal.signal(signal.SIGTERM, handler)


@pytest.fixture
def rules(tmp_path, monkeypatch):
    """The user's own tile sizes: call it with the content of their file, which it returns."""
    from kerasdream.plan import tile_size

    monkeypatch.setenv("KERASDREAM_CONFIG", str(tmp_path / "settings"))
    tile_size.own_rules.cache_clear()

    def write(content):
        path = tile_size.rules_file()
        path.parent.mkdir(exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        tile_size.own_rules.cache_clear()
        return path

    yield write
    tile_size.own_rules.cache_clear()


@pytest.fixture(scope="session")
def process():
    """Run the command line in a process of its own.

    ``path`` is a folder to import from; ``variables`` are added to the environment.
    """

    def call(*arguments, cwd, path=None, **variables):
        environment = {**os.environ, **variables}
        if path:
            environment["PYTHONPATH"] = os.pathsep.join([str(path), os.environ.get("PYTHONPATH", "")]).rstrip(":")
        for name in ("TF_CPP_MIN_LOG_LEVEL", "TF_DETERMINISTIC_OPS"):
            environment.pop(name, None)  # kerasdream itself must silence TensorFlow and make it deterministic
        command = [sys.executable, "-m", "kerasdream", *map(str, arguments)]
        return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=100)

    return call


@dataclass(frozen=True)
class Environment:
    """A virtual environment that sees the packages installed here."""

    python: Path

    def install(self, *arguments):
        """Install distributions into it, with the pip and setuptools of this environment."""
        command = [sys.executable, "-m", "pip", "--python", str(self.python), "install", "--quiet"]
        subprocess.run([*command, "--no-build-isolation", *map(str, arguments)], check=True)

    def call(self, *arguments, cwd):
        """Run its Python and return what it prints."""
        command = [self.python, *map(str, arguments)]
        done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="session")
def fresh_environment(tmp_path_factory):
    """Make a new ``Environment``."""

    def make():
        folder = tmp_path_factory.mktemp("environment")
        venv.create(folder, symlinks=True)
        environment = Environment(folder / "bin" / "python")
        own = environment.call("-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=folder).strip()
        shared = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
        lines = "".join(f"import site; site.addsitedir({path!r})\n" for path in sorted(shared))
        (Path(own) / "shared.pth").write_text(lines)
        return environment

    return make


PLUGIN_RUN = """\
plugins: [./my_objective.py]
image: photo.png
model: {file: tiny.keras, input_range: [-1, 1]}
objectives:
  - contrast: {layer: c2, gain: {from: 0.5, to: 2}}
octaves: {count: 1, steps: 2}
"""

CONTRAST = '''\
from kerasdream import LayerName, Objective, hookimpl, ops

def contrast(*, layer: LayerName, gain: float = 1.0) -> Objective:
    """Raise the spread of a layer's activations."""
    return Objective(layer, lambda activations: gain * ops.std(activations[layer], axis=-1))

@hookimpl
def register_objectives(register):
    register(contrast)
'''


@pytest.fixture
def folder(tmp_path, tiny):
    """A folder with a photo, a small network, a plugin file, and run.yaml, which uses them."""
    folder = tmp_path / "folder"
    folder.mkdir()
    images.save(
        folder / "photo.png", skimage.data.chelsea()[100:140, 100:156].astype("float32") / 127.5 - 1, format="png"
    )
    tiny.save(folder / "tiny.keras")
    (folder / "my_objective.py").write_text(CONTRAST)
    (folder / "run.yaml").write_text(PLUGIN_RUN)
    return folder
