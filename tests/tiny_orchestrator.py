"""An orchestrator of few weights, made here: a random Qwen3 whose every call is one token."""

from __future__ import annotations

import json
from typing import Any

import torch
from tokenizers import AddedToken, Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from transformers import PreTrainedTokenizerFast, Qwen3Config, Qwen3ForCausalLM
from trl import chat_template_utils

PARTS = 3
END, PAD, UNKNOWN = "<|im_end|>", "<|endoftext|>", "<unk>"
ANSWER = "<|im_start|>assistant\n"
"""One token: TRL looks for it in the decoded prompt, to know where the answer begins."""
WORDS = ["P1", "P2", "P3", "steps", "done", "failed", "ERROR"]


def written(name: str, /, **arguments: str) -> str:
    """A call as Qwen3 writes it."""
    call = json.dumps({"name": name, "arguments": arguments})
    return f"<tool_call>\n{call}\n</tool_call>\n"


CREATE = written("create_subagent", name="worker", system_prompt="Work.")
ASSIGN = [written("assign_task", agent="worker", prompt=f"Do P{n + 1}") for n in range(PARTS)]
ALONE = [written("do_part", part=f"P{n + 1}") for n in range(PARTS)]
CALLS = [CREATE, *ASSIGN, *ALONE]


def tokenizer() -> Any:
    """Words, of which few are known; the recipe's model's own chat template."""
    vocabulary = {word: at for at, word in enumerate([UNKNOWN, PAD, *WORDS])}
    raw = Tokenizer(WordLevel(vocabulary, unk_token=UNKNOWN))
    raw.pre_tokenizer = Whitespace()
    raw.add_tokens([AddedToken(call, normalized=False) for call in CALLS])
    raw.add_special_tokens(["<|im_start|>", ANSWER, END])
    return PreTrainedTokenizerFast(
        tokenizer_object=raw,
        unk_token=UNKNOWN,
        pad_token=PAD,
        eos_token=END,
        padding_side="left",
        chat_template=chat_template_utils.qwen3_instruct_2507_chat_template,
    )


def model(words: Any, seed: int = 0) -> Any:
    torch.manual_seed(seed)
    shape = Qwen3Config(
        vocab_size=len(words),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=16,
        max_position_embeddings=2048,
        tie_word_embeddings=False,
        pad_token_id=words.pad_token_id,
        eos_token_id=words.eos_token_id,
        bos_token_id=None,
    )
    return Qwen3ForCausalLM(shape)
