"""The offline model: a server of OpenAI's chat completions API that answers from project templates.

It is not a language model, and says so in every answer to other questions. It searches for known keywords in
a request, and answers gencode's two prompts (the plan, and one file of the plan) from the templates in this
package.
"""

from gencode.embedded.offline.openai_protocol import MODEL
from gencode.embedded.offline.template_project import TemplateProject

__all__ = ["MODEL", "TemplateProject"]
