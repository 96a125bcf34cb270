from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import medsdk
from medsdk.core import runtime

# The C interface of TFLite's delegates: this one takes no part of any model, and leaves a file when it is asked to.
DELEGATE = """
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
typedef struct Delegate {
  void* data; int (*prepare)(void*, struct Delegate*); void* from; void* to; void* free_handle; int64_t flags; void* builder;
} Delegate;
static int prepare(void* context, Delegate* delegate) {
  FILE* file = fopen(PREPARED, "w");
  return file ? fclose(file) : 1;
}
Delegate* tflite_plugin_create_delegate(char** keys, char** values, size_t count, void (*report)(const char*)) {
  Delegate* made = calloc(1, sizeof(Delegate));
  made->prepare = prepare;
  return made;
}
void tflite_plugin_destroy_delegate(Delegate* delegate) { free(delegate); }
"""


def build(folder: Path, code: str) -> Path:
    compiler = shutil.which("cc")
    if compiler is None or sys.platform == "win32":
        pytest.skip("no C compiler to build a delegate with")
    source, library = folder / "delegate.c", folder / "libdelegate.so"
    source.write_text(code)
    prepared = f'-DPREPARED="{folder / "prepared"}"'
    subprocess.run([compiler, "-shared", "-fPIC", prepared, str(source), "-o", str(library)], check=True)
    return library


def test_a_delegate_is_loaded_from_its_library(tmp_path: Path, drawn: np.ndarray) -> None:
    library = build(tmp_path, DELEGATE)
    with medsdk.load("retinopathy", delegate=str(library)) as analyzer:
        assert (tmp_path / "prepared").exists()
        found = analyzer.predict(drawn)
    assert found.provenance is not None
    assert found.provenance.runtime.endswith(f"with {library}")
    with medsdk.load("retinopathy") as plain:
        assert found.verdict == plain.predict(drawn).verdict


def test_the_delegate_of_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(runtime.DELEGATE, str(tmp_path / "none.so"))
    with pytest.raises(medsdk.RuntimeUnavailableError, match=r"none\.so cannot be loaded"):
        medsdk.load("retinopathy")


def test_a_missing_edge_tpu_library_says_where_it_comes_from(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "_EDGE_TPU", {sys.platform: "libedgetpu-of-nobody.so.1"})
    with pytest.raises(medsdk.RuntimeUnavailableError, match="libedgetpu1-std"):
        medsdk.load("retinopathy", delegate="edgetpu")


def test_a_library_that_is_no_delegate(tmp_path: Path) -> None:
    library = build(tmp_path, "int nothing(void) { return 0; }")
    with pytest.raises(medsdk.RuntimeUnavailableError, match="cannot be loaded"):
        medsdk.load("retinopathy", delegate=str(library))


def test_a_runtime_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(runtime.FORCE, "another")
    runtime.runtime.cache_clear()
    try:
        with pytest.raises(medsdk.RuntimeUnavailableError, match="another is none of ai-edge-litert"):
            runtime.runtime()
    finally:
        runtime.runtime.cache_clear()
