"""Writes a tiny Llama chat model without weights: python model.py FOLDER

vLLM makes up the weights when it starts (`--load-format dummy`): what it says is nonsense.
The vocabulary is one token for each byte.
"""

import json
import pathlib
import sys

from tokenizers import Tokenizer, decoders, models, pre_tokenizers

CONTEXT = 8192
START, END = "<|im_start|>", "<|im_end|>"
TEMPLATE = """\
{%- for it in messages %}<|im_start|>{{ it.role }}
{{ it.content }}<|im_end|>
{% endfor %}
{%- if add_generation_prompt %}<|im_start|>assistant
{% endif %}"""


def vocabulary():
    """The tokenizer: bytes, then what begins and ends a message."""
    bytes_shown = sorted(pre_tokenizers.ByteLevel.alphabet())
    words = {word: at for at, word in enumerate(bytes_shown)}
    made = Tokenizer(models.BPE(vocab=words, merges=[]))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    made.decoder = decoders.ByteLevel()
    made.add_special_tokens([START, END])
    return made


def shape(words, end):
    """The config of a Llama with two layers."""
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "vocab_size": words,
        "hidden_size": 128,
        "intermediate_size": 256,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 2,
        "max_position_embeddings": CONTEXT,
        "rms_norm_eps": 1e-5,
        "bos_token_id": None,
        "eos_token_id": end,
        "tie_word_embeddings": False,
        "dtype": "float32",
    }


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    words = vocabulary()
    words.save(str(folder / "tokenizer.json"))
    about = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "eos_token": END,
        "model_max_length": CONTEXT,
        "chat_template": TEMPLATE,
    }
    files = {
        "tokenizer_config.json": about,
        "config.json": shape(words.get_vocab_size(), words.token_to_id(END)),
    }
    for name, content in files.items():
        (folder / name).write_text(json.dumps(content, indent=1))


main()
