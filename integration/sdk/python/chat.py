"""Asks a gateway for a chat answer, a streamed one and the list of models.

BASE_URL, API_KEY and MODEL come from the environment. Prints one line of JSON
with what arrived; ends with 1, and a line on what was odd, otherwise.
"""

import json
import os
import sys

import openai

PROMPT = [{"role": "user", "content": "Say hello."}]


def usage_of(usage):
    return {"input_tokens": usage.prompt_tokens, "output_tokens": usage.completion_tokens}


def chat(client, model):
    answer = client.chat.completions.create(model=model, messages=PROMPT)
    [choice] = answer.choices
    assert choice.message.role == "assistant", f"role {choice.message.role!r}"
    assert choice.message.content, "empty answer"
    assert answer.model == model, f"asked for {model!r}, answer says {answer.model!r}"
    return {
        "content": choice.message.content,
        "finish_reason": choice.finish_reason,
        "model": answer.model,
        "usage": usage_of(answer.usage),
    }


def streamed_chat(client, model):
    events = client.chat.completions.create(
        model=model, messages=PROMPT, stream=True, stream_options={"include_usage": True}
    )
    content, finish_reason, usage, count = [], None, None, 0
    for event in events:
        count += 1
        assert event.model == model, f"asked for {model!r}, event says {event.model!r}"
        usage = event.usage or usage
        for choice in event.choices:
            content.append(choice.delta.content or "")
            finish_reason = choice.finish_reason or finish_reason
    assert "".join(content), "empty stream"
    assert finish_reason, "the stream has no finish_reason"
    assert usage, "the stream has no usage"
    return {
        "content": "".join(content),
        "events": count,
        "finish_reason": finish_reason,
        "model": model,
        "usage": usage_of(usage),
    }


def models(client, model):
    names = [entry.id for entry in client.models.list()]
    assert model in names, f"{model!r} is not among {names}"
    return names


def main():
    client = openai.OpenAI(
        base_url=os.environ["BASE_URL"], api_key=os.environ["API_KEY"], max_retries=0, timeout=30
    )
    model = os.environ["MODEL"]
    got = {
        "sdk": f"openai-python {openai.__version__}",
        "chat": chat(client, model),
        "stream": streamed_chat(client, model),
        "models": models(client, model),
    }
    print(json.dumps(got))


if __name__ == "__main__":
    try:
        main()
    except (AssertionError, KeyError, ValueError, AttributeError, openai.OpenAIError) as odd:
        sys.exit(f"chat.py: {type(odd).__name__}: {odd}")
