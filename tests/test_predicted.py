"""Predicted devices: what the models find, and that their errors are those on networks they have not seen."""

import numpy as np
import pandas as pd
import pytest
import yaml
from runs import CHECKOUT
from scipy.stats import spearmanr

from zsnas import devices, registry
from zsnas.config import check
from zsnas.devices import predicted
from zsnas.errors import StudyError
from zsnas.judge import prediction_table

NAME = "predicted-additive-local-onnxruntime-float32-batch1-threads1"


@pytest.fixture(scope="module")
def counts(index):
    networks = index[(index.arch == index.canonical) & index.connected]
    return networks.set_index("canonical")[list(registry.spaces()["nasbench201"].counts)]


def measured(counts, latency_ms, n=200):
    return pd.DataFrame({"canonical": counts.index, "latency_ms": latency_ms}).sample(n, random_state=0)


def test_every_model_is_declared():
    assert tuple(predicted.FITS) == predicted.MODELS == registry.devices()["predicted"].models


def test_additive_costs_are_found_and_never_negative(counts):
    true = 0.8 + counts.to_numpy() @ [0.9, 0.2, 0.1, 0.02]
    rows, held_out = predicted.predict("additive", counts, measured(counts, true))
    np.testing.assert_allclose(rows.latency_ms, true)
    np.testing.assert_allclose(held_out.predicted_ms, held_out.latency_ms)
    assert len(rows) == len(counts) and set(rows.kind) == {"predicted"} and rows.energy_mj.isna().all()
    # A skip connection that seems to save time costs nothing instead.
    seeming = 0.8 + counts.to_numpy() @ [0.9, 0.2, 0.1, -0.05]
    fit = predicted.additive(counts.to_numpy(float), seeming)
    assert (np.diff(fit(np.array([[0.0, 0, 0, n] for n in range(5)]))) >= 0).all()


def test_pairs_of_operations_are_for_the_quadratic_model(counts):
    true = 0.8 + counts.to_numpy() @ [0.9, 0.2, 0.1, 0.02] + 0.3 * counts.conv3x3 * counts.pool
    error = {}
    for model in predicted.MODELS:
        _, held_out = predicted.predict(model, counts, measured(counts, true))
        error[model] = np.abs(held_out.predicted_ms / held_out.latency_ms - 1).mean()
    assert error["quadratic"] < 1e-3 < 0.03 < error["additive"]


@pytest.mark.parametrize("model", predicted.MODELS)
def test_errors_are_those_of_unseen_networks(counts, model):
    """Latencies without any rule cannot be predicted, however well a model fits its sample."""
    noise = np.random.default_rng(1).uniform(1, 2, len(counts))
    _, held_out = predicted.predict(model, counts, measured(counts, noise))
    assert abs(spearmanr(held_out.latency_ms, held_out.predicted_ms).statistic) < 0.3
    changed = held_out.latency_ms.to_numpy().copy()
    known = counts.loc[held_out.canonical].to_numpy(float)
    before = predicted.held_out(model, known, changed)
    changed[7] *= 3
    after = predicted.held_out(model, known, changed)
    fold = np.arange(len(changed)) % predicted.FOLDS
    np.testing.assert_array_equal(before[fold == 7], after[fold == 7])
    assert (before[fold != 7] != after[fold != 7]).any()


def test_networks_without_latency_are_left_out_and_few_refused(counts):
    sample = measured(counts, np.ones(len(counts)), 25)
    sample.iloc[:10, 1] = np.nan
    with pytest.raises(StudyError, match=r"15 measured networks are too few .* at least 20"):
        predicted.predict("additive", counts, sample)


def test_prediction_table():
    rng = np.random.default_rng(0)
    true = rng.uniform(1, 5, 150)
    frame = pd.DataFrame({"space": "s", "task": "t", "device": "d", "canonical": [f"c{i}" for i in range(150)]})
    frame = frame.assign(latency_ms=true, predicted_ms=true * rng.normal(1.02, 0.1, 150))
    (row,) = prediction_table(frame, frame.assign(task="u")).query("task == 't'").itertuples()
    assert row.n == 150
    assert row.rmse_ms == pytest.approx(np.sqrt(((frame.predicted_ms - true) ** 2).mean()))
    assert row.mape == pytest.approx(100 * (abs(frame.predicted_ms - true) / true).mean())
    assert row.spearman == pytest.approx(spearmanr(true, frame.predicted_ms).statistic)
    assert row.rmse_ms_low < row.rmse_ms < row.rmse_ms_high and row.spearman_low < row.spearman < row.spearman_high < 1


def test_names_and_mistakes():
    assert devices.prediction(NAME) == ("additive", NAME.removeprefix("predicted-additive-"))
    assert devices.parse(NAME) is None and devices.prediction("lookup-x") is None
    study = yaml.safe_load((CHECKOUT / "config" / "smoke.yaml").read_text())
    study["spaces"]["nasbench201"]["architectures"] = 20
    sources = CHECKOUT / "config" / "sources.csv"
    check(study | {"devices": [NAME]}, "x.yaml", sources, "data")
    for name, message in (
        (NAME.replace("additive", "aditive"), "unknown model of device 'predicted' 'aditive'.*did you mean 'additive'"),
        (NAME.replace("float32", "float16"), "unknown precision of device 'local' 'float16'"),
        ("predicted-additive-lookup-x", "predicts 'lookup-x', which cannot be measured"),
    ):
        with pytest.raises(StudyError, match=message):
            check(study | {"devices": [name]}, "x.yaml", sources, "data")
