"""The marks of reasoning and of an answer's end that models leave in their text.

The provider layer removes them; the checks before a push search for those that are left.
"""

from __future__ import annotations

THINK_TAGS = {
    "<think>": "</think>",
    "<thinking>": "</thinking>",
    "<thought>": "</thought>",
    "<reasoning>": "</reasoning>",
    "<seed:think>": "</seed:think>",
    "<mm:think>": "</mm:think>",
    "<|begin_of_thought|>": "<|end_of_thought|>",
    "<|channel|>analysis<|message|>": "<|start|>assistant<|channel|>final<|message|>",
    "<|channel|>commentary<|message|>": "<|start|>assistant<|channel|>final<|message|>",
    "<|start_thinking|>": "<|end_thinking|>",
    "<|channel>thought": "<channel|>",
    "<unused94>thought": "<unused95>",
    "<longcat_think>": "</longcat_think>",
    "<antthinking>": "</antthinking>",
    "<scratchpad>": "</scratchpad>",
    "<reflection>": "</reflection>",
    "[think]": "[/think]",
    "◁think▷": "◁/think▷",
}
"""Openings and closings of a block of reasoning, in lower case."""
UNOPENED_THINK_TAGS = ("</think>", "</thinking>", "</seed:think>", "</mm:think>", "[/think]", "◁/think▷")
"""Those that also end reasoning without an opening."""
ANSWER_STARTS = (
    "<|channel|>final<|message|>",
    "<|start|>assistant",
    "<|im_start|>assistant\n",
    "<|start_header_id|>assistant<|end_header_id|>",
    "<|assistant|>",
    "<｜Assistant｜>",
    "<start_of_turn>model\n",
    "<|START_RESPONSE|>",
    "<|START_TEXT|>",
    "<|begin_of_solution|>",
    "<|begin_of_box|>",
    "<|begin_of_text|>",
    "<｜begin▁of▁sentence｜>",
)
"""Tokens with which the template of a model begins an answer, or what follows its reasoning."""
END_TOKENS = {
    "<|im_end|>": ("<|im_start|>",),
    "<|endoftext|>": (),
    "<|end_of_text|>": ("<|begin_of_text|>",),
    "<|eot_id|>": ("<|start_header_id|>",),
    "<|eom_id|>": (),
    "<|eot|>": ("<|header_start|>",),
    "<|EOT|>": (),
    "<|end|>": ("<|start|>", "<|user|>", "<|system|>", "<|assistant|>"),
    "<|return|>": (),
    "<|eos|>": ("<|bos|>",),
    "<|end_of_turn|>": (),
    "<|END_OF_TURN_TOKEN|>": ("<|START_OF_TURN_TOKEN|>",),
    "<|end▁of▁sentence|>": ("<|begin▁of▁sentence|>",),
    "<｜end▁of▁sentence｜>": ("<｜begin▁of▁sentence｜>",),
    "<end_of_turn>": ("<start_of_turn>",),
    "<eos>": ("<bos>",),
    "<EOT>": (),
    "<turn|>": ("<|turn>",),
    "<seed:eos>": ("<seed:bos>",),
    "<|user|>": (),
    "<|observation|>": (),
    "<|eod|>": (),
    "<|endofprompt|>": (),
    "<|call|>": (),
    "<|file_sep|>": (),
    "<|END_RESPONSE|>": ("<|START_RESPONSE|>",),
    "<|END_TEXT|>": ("<|START_TEXT|>",),
    "<|end_of_solution|>": ("<|begin_of_solution|>",),
    "<|end_of_box|>": ("<|begin_of_box|>",),
    "<｜User｜>": (),
    "</longcat_s>": ("<longcat_s>",),
    "</s>": ("<s>", "<s "),
}
"""Each token with those that open what it ends: in a file about chat templates, they come in pairs."""
