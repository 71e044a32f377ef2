"""Requirement documents: typed or uploaded texts, their versions, and the requirements found in them.

resource      the five operations of every resource
routes        upload, parsing again, changes between two versions
documents     what tasks read and write: state, text, requirements
requirement   the values: a requirement and what belongs to it; `identity` says which keep their id
"""
