"""Time training from ten thousand rows to a million, and the most memory held beyond the rows."""

from __future__ import annotations

from functools import partial

import numpy as np
import torch

from benchmarks.click_log import click_log
from benchmarks.click_models import click_models, train
from benchmarks.table import Table, peak, plain, times


def measure() -> Table:
    """Time training from ten thousand rows to a million, and the most memory held beyond the rows."""
    torch.set_num_threads(1)
    sizes = [10_000, 100_000, 1_000_000]
    logs = {n: click_log(n) for n in sizes}
    columns = max(data["sparse"].shape[1] for data in logs.values())
    table = Table("Model", *(f"{n:,} rows" for n in sizes), "Memory at the last")
    for name, (make, form) in click_models(columns).items():
        taken, memory = [], "not counted"
        for n, data in logs.items():
            labels = np.column_stack([data["y"], data["hide"]]) if "Multi" in name else data["y"]
            fit = partial(train, make, data[form], labels, [])
            taken += times(fit, repeats=1 if n == sizes[-1] else 3)
            if n == sizes[-1] and "PyTorch" not in name and "LightGBM" not in name:  # theirs is not Python's
                memory = f"{peak(fit) / 2**20:,.0f} MB"
        table.row(name, *(f"{plain(s, 2)} s" for s in taken), memory)
        if taken[-1] > 30 * taken[-2]:
            table.missed.append(f"{name} takes {taken[-1] / taken[-2]:.0f} times as long for ten times the rows")
    table.note = (
        "Seconds to train, one thread. Memory is the most that Python's allocators held beyond the rows themselves; "
        "LightGBM and PyTorch have allocators of their own."
    )
    return table
