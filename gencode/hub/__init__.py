"""Delivers committed events and live messages to subscribers."""
