"""Template sets as data: manifests, archives, the sets of the distribution, rendering in a limited child.

    content = read_archive(data)                             # ContentError: a zip that cannot be one
    async with TemplateRenderer() as renderer:
        rendered = await renderer.render(content, contexts)  # files by path for each context, or findings

Nothing here imports the template language: uploaded templates are compiled and run in the child only.
"""

from gencode.blueprints.template_sets.archive import read_archive, write_archive
from gencode.blueprints.template_sets.content import ContentError, SetContent, read_content
from gencode.blueprints.template_sets.manifest import CopiedFile, Manifest, TemplateFile
from gencode.blueprints.template_sets.official import official_content, official_sets
from gencode.blueprints.template_sets.renderer import (
    RenderedSet,
    RendererFailed,
    TemplateFinding,
    TemplateRenderer,
)

__all__ = [
    "ContentError",
    "CopiedFile",
    "Manifest",
    "RenderedSet",
    "RendererFailed",
    "SetContent",
    "TemplateFile",
    "TemplateFinding",
    "TemplateRenderer",
    "official_content",
    "official_sets",
    "read_archive",
    "read_content",
    "write_archive",
]
