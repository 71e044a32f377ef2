"""Prompt templates: texts with named variables, of one's own or shared."""
