package config

import (
	"context"
	"log/slog"
)

// An embedded handler makes CloudWatch take metrics from the report's line, one set per secret:
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html.
// The line is otherwise the one that every platform gets.
type embedded struct{ slog.Handler }

// metricsNamespace is where the metrics are.
const metricsNamespace = "relock"

// metrics are the numbers of the report's line, and their units.
func metrics() map[string]string {
	return map[string]string{
		"rotated": "Count", "skipped": "Count", "failed": "Count", "unproven": "Count", "drifted": "Count", "left": "Count",
		"seconds": "Seconds", "downSeconds": "Seconds", "pendingSeconds": "Seconds",
	}
}

func (h embedded) Handle(ctx context.Context, r slog.Record) error {
	if r.Message != "relock.report" {
		return h.Handler.Handle(ctx, r)
	}
	type metric struct{ Name, Unit string }
	var all []metric
	r.Attrs(func(a slog.Attr) bool {
		if unit, ok := metrics()[a.Key]; ok {
			all = append(all, metric{a.Key, unit})
		}
		return true
	})
	r = r.Clone()
	r.AddAttrs(slog.Any("_aws", map[string]any{
		"Timestamp": r.Time.UnixMilli(),
		"CloudWatchMetrics": []any{map[string]any{
			"Namespace": metricsNamespace, "Dimensions": [][]string{{"secret"}}, "Metrics": all,
		}},
	}))
	return h.Handler.Handle(ctx, r)
}

func (h embedded) WithAttrs(attrs []slog.Attr) slog.Handler {
	return embedded{h.Handler.WithAttrs(attrs)}
}

func (h embedded) WithGroup(name string) slog.Handler { return embedded{h.Handler.WithGroup(name)} }
