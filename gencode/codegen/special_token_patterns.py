"""Patterns of the special tokens of models: by their form, since new models bring new names."""

from __future__ import annotations

import re

_PIPES = (
    r"<(?:[|｜][\w▁ .:/-]{1,40}[|｜]|[|｜]?[\w▁]{1,40}[|｜]|[|｜]\w{1,40})>|\[\|\w{1,40}\|\]"
    r"|(?:<|&lt;|[|])?(?:\\?[|])?(?:im_end|im_start|eot_id|endoftext|end_of_turn|end_of_text)\\?[|](?:>|&gt;)?"
    r"|<[|](?:im_end|eot_id|endoftext|end_of_turn)|<end_of_turn"
)
_ANGLES = (
    r"</?(?:s|bos|eos|sop|eop|eod|eot|eom|eoa|unk|pad|sep|bot|inst|sys|stop|end|pre|mid|extra_id_\d+"
    r"|start_of_turn|end_of_turn|end_of_utterance|end_of_text|end▁of▁sentence|fim_\w+|reserved_\d+|tokens_unused_\d+"
    r"|0x[0-9a-f]{2}|eof|tool_call)>|<</?sys>>"
    r"|</(?:file|answer|content|code|current|output|result|response|source|document|assistant|function|artifact)>"
)
_BRACKETS = (
    r"\[/?(?:s|code|inst|sys|out|assistant|user|human|bot|gmask|thinking)\]"
    r"|\[(?:bos|eos|eot|eom|sep|pad|cls|break|stop|eof|done|end|end of (?:text|answer|file|turn)"
    r"|unused_token_\d+|tool_results|tool_calls)\]|\]<\]\w{1,20}\[>\[|\[e~\[|\]~!?b\[?\]?"
)
CONTROLS = r"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]|\ufffd"
TOKEN = f"(?:{_PIPES}|{_ANGLES}|{_BRACKETS})"
STARTS = re.compile(
    rf"{TOKEN}(?:{TOKEN}|(?:assistant|model|ai)\b:?)*|{CONTROLS}|▁|assistantfinal|final<[|]message[|]>|<role>"
    r"|<!\[cdata\[",
    re.IGNORECASE,
)
"""Matches at the start of an answer that does not begin with file content."""
ENDS = re.compile(
    rf"`?(?:data: *)?(?>{TOKEN})(?>\s*+(?>{TOKEN}|user|assistant|human|model|system))*+`?\Z"
    rf"|(?:{CONTROLS})++\Z"
    r"|\(end(?: of (?:file|answer|text))?\)\Z|(?<=[;.)}\]>])[ \t]*(?-i:END OF FILE|EOF)\Z",
    re.IGNORECASE,
)
PIPED = re.compile(r"<[|｜][A-Za-z▁][\w▁]{1,38}[|｜]>")
"""A form of token, `<|name|>`, that is valid syntax in no language."""
