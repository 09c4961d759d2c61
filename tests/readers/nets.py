"""The nets that check.py trains and exports: small ones of every form, and full-size ones."""

from torch import nn

# Weights that let signals through, so that logits depend on every layer.
_SMALL = {
    "model.input": 28, "model.kernels": "16,32,48,32,16", "model.neurons": "48,32",
    "model.conv1-kernel": 5, "model.conv1-stride": 1, "model.conv1-pad": 2,
    "model.weight-std": "0.16,0.1,0.1,0.1,0.1,0.1,0.2,0.2", "model.bias": "0,0.1,0,0.1,0,0.1,0,0",
    "model.lrn-alpha": 0.01, "data.colour-noise": 0, "solver.batch": 8, "solver.lr": 0.0005,
    "solver.schedule": "constant", "run.steps": 4, "device.threads": 1,
}
# OpenCV takes response normalisation's k for 1.
_OPENCV = {"model.lrn-k": 1, "opencv": True}
_TO_UNIT = {"data.unit-scale": "true"}

SMALL = {
    "two-towers": {**_SMALL, **_TO_UNIT, **_OPENCV, "model.drop": 0.3},
    "mean-image": {**_SMALL, "model.weight-std": "0.003,0.1,0.1,0.1,0.1,0.1,0.2,0.2"},
    "channel-mean": {**_SMALL, "data.mean": "channel", "model.towers": 1,
                     "model.weight-std": "0.003,0.1,0.1,0.1,0.1,0.1,0.2,0.2"},
    "released-2012": {**_SMALL, **_TO_UNIT, "recipe": "released-2012", "model.conv1-pad": 1,
                      "model.conv1-pad-end": 2, "model.lrn-alpha-divided": "false",
                      "caffe": False},
    "spatial-norm": {**_SMALL, **_TO_UNIT, **_OPENCV, "recipe": "released-2012",
                     "model.conv1-pad-end": 0},
    "caffe": {**_SMALL, **_OPENCV, "recipe": "caffe",
              "model.weight-std": "0.003,0.1,0.1,0.1,0.1,0.1,0.2,0.2"},
    "drop-before": {**_SMALL, **_TO_UNIT, "model.towers": 1, "model.drop-before": "true",
                    "model.pool-round-up": "false"},
}

_FULL = {
    "size": 256, "model.classes": 1000, "solver.batch": 2, "solver.lr": 1e-5, "run.steps": 1,
    "solver.schedule": "constant", "data.unit-scale": "true", "data.colour-noise": 0,
    "model.weight-std": "0.07,0.03,0.03,0.03,0.03,0.015,0.02,0.02", "run.keep": 1,
}

FULL = {
    "full-two-towers": _FULL,
    "full-alexnet-pytorch": {**_FULL, "recipe": "alexnet-pytorch", "names": ("alexnet-pytorch",)},
    "full-torchvision": {**_FULL, "recipe": "alexnet-pytorch", "model.input": 224,
                         "model.conv1-pad": 2, "model.kernels": "64,192,384,256,256",
                         "model.lrn-alpha": 0, **_OPENCV, "names": ("torchvision",)},
    "full-caffe": {**_FULL, **_OPENCV, "recipe": "caffe"},
}

_NO_OPTIONS = ("size", "names", "caffe", "opencv")


def arguments(options):
    """As options of convoy train."""
    return [part for key, value in options.items() if key not in _NO_OPTIONS
            for part in (f"--{key}", str(value))]


def _features(widths, kernel1, norm):
    """The convolutions of a one-column AlexNet as one nn.Sequential."""
    layers, channels = [], 3
    for index, width in enumerate(widths):
        if index == 0:
            layers.append(nn.Conv2d(channels, width, 11, **kernel1))
        else:
            size = 5 if index == 1 else 3
            layers.append(nn.Conv2d(channels, width, size, padding=size // 2))
        layers.append(nn.ReLU())
        if norm and index < 2:
            layers.append(nn.LocalResponseNorm(5, 1e-4, 0.75, 2))
        if index in (0, 1, 4):
            layers.append(nn.MaxPool2d(3, 2))
        channels = width
    return nn.Sequential(*layers)


class _OneColumn(nn.Module):
    def __init__(self, features_name, features, classes):
        super().__init__()
        self.add_module(features_name, features)
        self.features_name = features_name
        self.classifier = nn.Sequential(
            nn.Dropout(), nn.Linear(9216, 4096), nn.ReLU(), nn.Dropout(), nn.Linear(4096, 4096),
            nn.ReLU(), nn.Linear(4096, classes))

    def forward(self, x):
        return self.classifier(getattr(self, self.features_name)(x).flatten(1))


# Modules with the names and layers that the programs of these names have.
MODULES = {
    "alexnet-pytorch": lambda classes: _OneColumn(
        "net", _features((96, 256, 384, 384, 256), {"stride": 4}, True), classes),
    "torchvision": lambda classes: _OneColumn(
        "features", _features((64, 192, 384, 256, 256), {"stride": 4, "padding": 2}, False),
        classes),
}
