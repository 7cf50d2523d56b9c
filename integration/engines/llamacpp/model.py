"""Writes a tiny Llama model with random weights: python model.py FILE.gguf

It has a chat template and a byte-level vocabulary and says nonsense, the same on every
machine. A few merged tokens reach over the ends of placeholders.
"""

import sys

import gguf
import numpy

SEED = 20
LAYERS, WIDTH, HEADS, INNER, CONTEXT = 2, 64, 2, 128, 8192
# The first tokens. A bias on END and a smaller one on CALL make the model call tools
# before it says anything else, and end then: a grammar forbids both in between.
START, END, CALL = "<|im_start|>", "<|im_end|>", "<tool_call>\n"
# Left and right half of a token that is merged.
MERGES = ['" [', '] "', "E M", "EM A", "I L", "L _", "P H", "PH O", "x ]", "1 ]"]
TEMPLATE = """\
{%- if tools %}<|im_start|>system
{% for tool in tools %}{{ tool | tojson }}
{% endfor %}<|im_end|>
{% endif %}
{%- for it in messages %}<|im_start|>{{ it.role }}
{{ it.content if it.content is string else "" }}
{%- for call in it.tool_calls or [] %}
<tool_call>
{"name": "{{ call.function.name }}", "arguments": {{ call.function.arguments | tojson }}}
</tool_call>
{%- endfor %}<|im_end|>
{% endfor %}
{%- if add_generation_prompt %}<|im_start|>assistant
{% endif %}"""


def byte_tokens():
    """The character that stands for each byte in a GPT-2 vocabulary."""
    shown = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    hidden = [byte for byte in range(256) if byte not in shown]
    return [chr(byte) for byte in shown] + [chr(256 + at) for at in range(len(hidden))]


def write_vocabulary(writer):
    """The special tokens, bytes and merges; returns how many they are."""
    words = byte_tokens() + [merge.replace(" ", "") for merge in MERGES]
    tokens = [START, END, CALL] + words
    special = [gguf.TokenType.CONTROL] * 2 + [gguf.TokenType.USER_DEFINED]
    kinds = special + [gguf.TokenType.NORMAL] * len(words)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types(kinds)
    writer.add_token_merges(MERGES)
    writer.add_bos_token_id(tokens.index(START))
    writer.add_eos_token_id(tokens.index(END))
    writer.add_add_bos_token(False)
    writer.add_chat_template(TEMPLATE)
    return len(tokens)


def write_shape(writer):
    """What the architecture has to be told."""
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_rope_dimension_count(WIDTH // HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)


def write_weights(writer, words):
    """Random matrices, and norms of one."""
    random = numpy.random.default_rng(SEED)

    def matrix(name, *shape):
        weights = random.normal(0, 0.1, shape).astype(numpy.float32)
        writer.add_tensor(f"{name}.weight", weights)

    def norm(name):
        writer.add_tensor(f"{name}.weight", numpy.ones(WIDTH, numpy.float32))

    matrix("token_embd", words, WIDTH)
    for layer in range(LAYERS):
        block = f"blk.{layer}"
        norm(f"{block}.attn_norm")
        for part in ["attn_q", "attn_k", "attn_v", "attn_output"]:
            matrix(f"{block}.{part}", WIDTH, WIDTH)
        norm(f"{block}.ffn_norm")
        matrix(f"{block}.ffn_gate", INNER, WIDTH)
        matrix(f"{block}.ffn_up", INNER, WIDTH)
        matrix(f"{block}.ffn_down", WIDTH, INNER)
    norm("output_norm")
    matrix("output", words, WIDTH)


def main():
    writer = gguf.GGUFWriter(sys.argv[1], "llama")
    write_shape(writer)
    write_weights(writer, write_vocabulary(writer))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


main()
