"""Random changes to training pictures, a pure function of the picture and a random generator.

They run on the preprocessed uint8 picture, so that what the device computes once is not computed again each epoch.
"""

from __future__ import annotations

from typing import cast

import cv2
import numpy as np

from medsdk.core.images import Pixels
from medsdk_converters.recipe import Augmentation

_BORDER = {"black": cv2.BORDER_CONSTANT, "reflect": cv2.BORDER_REFLECT_101}


def augment(image: Pixels, how: Augmentation, random: np.random.Generator) -> Pixels:
    """RGB uint8 (h, w, 3) to another of the same size."""
    image = _resolution(_geometry(image, how, random), how, random)
    image = _colour(image, how, random)
    return _damage(image, how, random)


def _geometry(image: Pixels, how: Augmentation, random: np.random.Generator) -> Pixels:
    """All geometric changes in one warp, so that the picture is interpolated once."""
    height, width = image.shape[:2]
    angle = random.uniform(-how.rotation, how.rotation) + 90 * (random.integers(4) if how.quarter_turns else 0)
    scale = 2.0 ** random.uniform(-how.zoom, how.zoom)
    stretch = 2.0 ** random.uniform(-how.aspect, how.aspect)
    flip_x = -1 if how.flip_horizontal and random.random() < 0.5 else 1
    flip_y = -1 if how.flip_vertical and random.random() < 0.5 else 1
    shift = random.uniform(-how.shift, how.shift, 2) * (width, height)
    if angle == 0 and scale == stretch == flip_x == flip_y == 1 and not shift.any():
        return image
    radians = np.deg2rad(angle)
    rotation = np.array([[np.cos(radians), np.sin(radians)], [-np.sin(radians), np.cos(radians)]])
    linear = rotation @ np.diag([flip_x * scale * stretch, flip_y * scale / stretch])
    centre = np.array([(width - 1) / 2, (height - 1) / 2])
    matrix = np.column_stack([linear, centre + shift - linear @ centre])
    warped = cv2.warpAffine(image, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=_BORDER[how.border])
    return cast(Pixels, warped)


def _resolution(image: Pixels, how: Augmentation, random: np.random.Generator) -> Pixels:
    height, width = image.shape[:2]
    if random.random() < how.half_resolution:
        factor = random.uniform(0.4, 0.9)
        small = cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
        image = cast(Pixels, cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR))
    if random.random() < how.blur:
        image = cast(Pixels, cv2.GaussianBlur(image, (0, 0), random.uniform(0.4, 1.6)))
    return image


def _colour(image: Pixels, how: Augmentation, random: np.random.Generator) -> Pixels:
    """Brightness, contrast, gamma and channel gains as one table a channel; then hue, saturation and grey."""
    x = np.linspace(0, 1, 256)
    contrast = 1 + random.uniform(-how.contrast, how.contrast)
    brightness = random.uniform(-how.brightness, how.brightness)
    gamma = 2.0 ** random.uniform(-how.gamma, how.gamma)
    gains = 1 + random.uniform(-how.channel_gain, how.channel_gain, 3)
    curve = (x**gamma - 0.5) * contrast + 0.5 + brightness
    # What was laid under black by a mask stays black, or the change would paint the background.
    curve[0] = 0 if how.border == "black" else curve[0]
    table = np.clip(curve[:, np.newaxis] * gains, 0, 1)
    image = cast(Pixels, cv2.LUT(image, (table * 255).round().astype(np.uint8)[np.newaxis]))
    if how.saturation or how.hue:
        image = _hue_and_saturation(image, how, random)
    if random.random() < how.grey:
        image = cast(Pixels, cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB))
    return image


def _hue_and_saturation(image: Pixels, how: Augmentation, random: np.random.Generator) -> Pixels:
    hsv = cv2.cvtColor(image, cv2.COLOR_RGB2HSV)
    # OpenCV's 8-bit hue counts in steps of two degrees, 0..179.
    turn = round(random.uniform(-how.hue, how.hue) / 2)
    gain = 1 + random.uniform(-how.saturation, how.saturation)
    steps = np.arange(256)
    tables = np.stack([(steps + turn) % 180, np.clip(steps * gain, 0, 255), steps], axis=-1).astype(np.uint8)
    return cast(Pixels, cv2.cvtColor(cv2.LUT(hsv, tables[np.newaxis]), cv2.COLOR_HSV2RGB))


def _damage(image: Pixels, how: Augmentation, random: np.random.Generator) -> Pixels:
    if random.random() < how.noise:
        noise = random.normal(0, random.uniform(2, 12), image.shape[:2]).astype(np.float32)
        image = np.clip(image + noise[..., np.newaxis], 0, 255).astype(np.uint8)
    if random.random() < how.jpeg:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(random.integers(30, 90))]
        image = cast(Pixels, cv2.imdecode(cv2.imencode(".jpg", image, quality)[1], cv2.IMREAD_COLOR))
    if random.random() < how.erase:
        image = _erased(image, random)
    return image


def _erased(image: Pixels, random: np.random.Generator) -> Pixels:
    """A grey rectangle of up to a third of each side (random erasing, Zhong et al. 2020)."""
    height, width = image.shape[:2]
    h, w = (int(side * random.uniform(0.1, 0.33)) for side in (height, width))
    top, left = int(random.integers(height - h)), int(random.integers(width - w))
    erased = image.copy()
    erased[top : top + h, left : left + w] = random.integers(0, 256)
    return erased
