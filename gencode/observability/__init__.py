"""Logging, Prometheus metrics, OpenTelemetry traces, and the disk use of DATA_DIR."""
