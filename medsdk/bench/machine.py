"""What machine this is, and what about it would spoil a measurement."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from pathlib import Path

# Degrees Celsius at which a Raspberry Pi begins to slow down (its documentation: 80, and 85 at the latest).
_HOT = 80.0

# `vcgencmd get_throttled`, Raspberry Pi documentation.
_THROTTLED_BITS = {
    0: "the voltage is too low now",
    1: "the clock is capped now",
    2: "the processor is throttled now",
    3: "the soft temperature limit holds now",
    16: "the voltage was too low since the start",
    17: "the clock was capped since the start",
    18: "the processor was throttled since the start",
    19: "the soft temperature limit held since the start",
}


def describe(root: Path = Path("/")) -> dict[str, object]:
    """What a result must be told with: model, processor, cores, memory, system, Python."""
    return {
        "machine": _model(root),
        "processor": _processor(root),
        "architecture": platform.machine(),
        "cores": os.cpu_count(),
        "memory_mb": memory(root).get("MemTotal", 0) // 1024,
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }


def warnings_now(root: Path = Path("/"), *, working: bool = False) -> list[str]:
    """Everything that is known to make figures worse or jump: governor, throttling, heat, swap, other work.

    `working` means that this program itself has been at work, so that the load says nothing about others.
    """
    found = [*_governors(root), *_temperatures(root), *_throttling(), *_swap(root)]
    return found if working else [*found, *_load()]


def memory(root: Path = Path("/")) -> dict[str, int]:
    """/proc/meminfo in kilobytes; empty where there is none."""
    found = {}
    for line in _read(root / "proc/meminfo").splitlines():
        name, _, value = line.partition(":")
        if value.split():
            found[name] = int(value.split()[0])
    return found


def temperature(root: Path = Path("/")) -> float | None:
    """The hottest zone in degrees Celsius; None where the system does not tell."""
    zones = [_read(path) for path in sorted(root.glob("sys/class/thermal/thermal_zone*/temp"))]
    degrees = [int(text) / 1000 for text in zones if text.lstrip("-").isdigit()]
    return max(degrees, default=None)


def _governors(root: Path) -> list[str]:
    governors = {_read(path) for path in root.glob("sys/devices/system/cpu/cpu[0-9]*/cpufreq/scaling_governor")}
    slow = sorted(governors & {"powersave", "conservative", "ondemand"})
    return [f"the CPU governor is {name}: set it to performance, or small pictures look slow." for name in slow]


def _temperatures(root: Path) -> list[str]:
    degrees = temperature(root)
    if degrees is None or degrees < _HOT:
        return []
    return [f"the processor has {degrees:.0f} °C: it slows down from {_HOT:.0f}."]


def _throttling() -> list[str]:
    program = shutil.which("vcgencmd")
    if program is None:
        return []
    try:
        answer = subprocess.run([program, "get_throttled"], capture_output=True, text=True, timeout=5, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return []
    return throttling(answer)


def throttling(answer: str) -> list[str]:
    """What `throttled=0x50005` means."""
    try:
        bits = int(answer.strip().partition("=")[2], 16)
    except ValueError:
        return []
    return [f"{text}." for bit, text in _THROTTLED_BITS.items() if bits >> bit & 1]


def _swap(root: Path) -> list[str]:
    found = memory(root)
    used = found.get("SwapTotal", 0) - found.get("SwapFree", 0)
    # A little is always out there; a tenth of the memory is not an accident any more.
    if used * 10 <= found.get("MemTotal", 0):
        return []
    return [f"{used // 1024} MB are swapped out: other programs need memory."]


def _load() -> list[str]:
    cores = os.cpu_count() or 1
    try:
        load = os.getloadavg()[0]
    except (AttributeError, OSError):  # Windows
        return []
    return [f"the load is {load:.1f} on {cores} cores: other programs are at work."] if load > 0.5 * cores else []


def _model(root: Path) -> str:
    # A Pi tells its name in the device tree, a PC in DMI.
    for place in ("proc/device-tree/model", "sys/class/dmi/id/product_name"):
        text = _read(root / place).strip("\0 ")
        if text:
            return text
    return "unnamed machine"


def _processor(root: Path) -> str:
    for line in _read(root / "proc/cpuinfo").splitlines():
        name, _, value = line.partition(":")
        if name.strip() in ("model name", "CPU part"):
            return value.strip()
    return platform.processor() or platform.machine()


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
