"""Blueprint and stack become the files of a project: the same input gives the same bytes.

project = render_project(blueprint, Stack(database=Database.POSTGRESQL))
project.files      # by path
project.holes      # what a model may write, each with the file and the marks it stands between
"""

from gencode.blueprints.rendering.project import Hole, Project, render_project, template_context
from gencode.blueprints.stack import Database, Stack

__all__ = ["Database", "Hole", "Project", "Stack", "render_project", "template_context"]
