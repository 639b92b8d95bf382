"""CloudWatch: metric queries nest differently in the SDK."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from lifeboat.sandbox.provider.values import Value, Values


def metric_queries(context: Values, arguments: Values) -> Values:
    """``Metrics`` from ``metricQueries``; nothing for an alarm on one metric."""
    queries = cast("list[Values]", cast("Values", context["in"]).get("metricQueries") or [])
    return {**arguments, "Metrics": [_query(query) for query in queries]} if queries else arguments


def _query(query: Values) -> Value:
    names = {
        "id": "Id",
        "expression": "Expression",
        "label": "Label",
        "period": "Period",
        "returnData": "ReturnData",
        "accountId": "AccountId",
    }
    found: Values = {name: query[prop] for prop, name in names.items() if query.get(prop) is not None}
    metric = query.get("metric")
    if isinstance(metric, dict):
        dimensions = cast("Values", metric.get("dimensions") or {})
        stat: Values = {
            "Metric": {
                "Namespace": metric.get("namespace"),
                "MetricName": metric["metricName"],
                "Dimensions": [{"Name": name, "Value": value} for name, value in dimensions.items()],
            },
            "Period": metric["period"],
            "Stat": metric["stat"],
        }
        found["MetricStat"] = {**stat, "Unit": metric["unit"]} if metric.get("unit") else stat
    return found
