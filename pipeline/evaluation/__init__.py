"""How good forecasts are, and against which baselines; METRICS names each measure."""

from collections.abc import Mapping

from pipeline.evaluation.base import Metric
from pipeline.evaluation.metrics import acc, bias, mae, rmse

METRICS: Mapping[str, Metric] = {"rmse": rmse, "mae": mae, "bias": bias, "acc": acc}
