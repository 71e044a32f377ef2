"""Resources: a declaration of table, models and rules becomes routes, ownership, audit, pages and ETags."""
