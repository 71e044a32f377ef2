"""The offline model: OpenAI's chat completions protocol over project templates.

It is no language model and never says it is one. It looks for words it knows in a request, and answers
gencode's two prompts (a plan, one file of it) from the templates that are shipped beside this module.
"""

from gencode.embedded.offline.app import offline_model
from gencode.embedded.offline.openai_protocol import MODEL

__all__ = ["MODEL", "offline_model"]
