"""The kind `build`: a blueprint becomes a project.

    Given --rendering--> Built --archiving--> Archived

A project is rendered from templates; what a model writes stands in declared holes only.
"""
