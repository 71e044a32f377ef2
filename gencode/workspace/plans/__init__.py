"""Subscription plans: what a user or a team may generate in a month, and how large a team may be."""
