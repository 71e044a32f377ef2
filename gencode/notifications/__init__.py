"""Delivers the events of tasks to the addresses that their submitters gave: webhooks and chat replies."""
