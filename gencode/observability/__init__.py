"""Logging, Prometheus metrics, and OpenTelemetry traces."""
