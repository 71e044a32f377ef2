"""Delivers the events of tasks to the URLs that their submitters gave: webhooks and chat replies."""
